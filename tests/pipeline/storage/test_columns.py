import pytest

from collie_core.metrics import METRICS
from collie_pipeline.storage.columns import described


@pytest.mark.parametrize("name", [*METRICS, "user_id", "item_id", "score", "vs_popularity"])
def test_what_every_table_has_is_described(name: str) -> None:
    assert described(name)


def test_the_ends_of_an_interval_are_described_by_its_middle() -> None:
    assert described("mapk_low") == "Lower end of the bootstrap interval of mapk."
    assert described("mapk_high") == "Upper end of the bootstrap interval of mapk."


def test_a_stranger_is_not_described() -> None:
    assert described("colour") is None
    assert described("too_low") is None
