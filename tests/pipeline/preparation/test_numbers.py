import numpy as np
import pandas as pd
import pytest

from collie_pipeline.preparation.missing import parse_numbers

NONE = [np.nan]


@pytest.mark.parametrize(
    ("texts", "numbers", "missing"),
    [
        (["7", "007", "1704067200000000"], [7, 7, 1704067200000000], []),
        (["999999999999999"], [999999999999999], []),
        (["12345678901234567890"], [12345678901234567890.0], []),
        (["7", "3.5", "-2", "1e3"], [7, 3.5, -2, 1000], []),
        (["7", "", " ", "NaN", None], [7, *NONE * 4], [1, 2, 3, 4]),
        (["7", "x", "٣"], [7, *NONE * 2], []),
        ([], [], []),
    ],
)
def test_text_is_a_number_missing_or_neither(
    texts: list[str], numbers: list[float], missing: list[int]
) -> None:
    found, is_missing = parse_numbers(pd.Series(texts, dtype="str"))
    np.testing.assert_array_equal(found, np.array(numbers, dtype=np.float64))
    assert np.flatnonzero(is_missing).tolist() == missing


def test_numbers_are_themselves() -> None:
    found, is_missing = parse_numbers(pd.Series([1.5, np.nan]))
    assert (found[0], is_missing.tolist()) == (1.5, [False, True])
