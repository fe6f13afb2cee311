import pytest

from collie_core.utils import Timer, timer


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    times = [0.0, 60.0, 90.0, 120.0]
    monkeypatch.setattr(timer, "perf_counter", lambda: times.pop(0))
    return times


@pytest.mark.usefixtures("clock")
def test_checks_count_from_the_last_and_the_total_from_the_start() -> None:
    watch = Timer()
    assert (watch.timecheck(), watch.timecheck(), watch.time_since_start()) == (1.0, 0.5, 2.0)


@pytest.mark.usefixtures("clock")
def test_message_is_printed_as_in_the_reference(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Timer()
    watch.timecheck(message="Random split timecheck")
    watch.timecheck()
    watch.time_since_start()
    assert capsys.readouterr().out.splitlines() == [
        "Random split timecheck (1.00 min)",
        "Finished (0.50 min)",
        "Total time: 2.00 min",
    ]
