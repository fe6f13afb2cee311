"""`collie tune`: what it says, makes and refuses; and in processes of its own, killed."""

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from commanded import MODEL, SMALL, collie, trials

from collie_pipeline.settings import load_settings

COLLIE = str(Path(sys.executable).with_name("collie"))


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLLIE_")}
    return {**kept, "DAGSTER_HOME": str(home / "dagster_home"), "COLUMNS": "200"}


def ended(home: Path, sent: signal.Signals, after: str) -> tuple[int, str]:
    """Send a signal to `collie tune` once it has said `after`; return how it ended, and what it
    said until then.
    """
    command = ["env", "--default-signal=INT", COLLIE, "tune", MODEL, "--trials", "50"]
    with subprocess.Popen(
        command, cwd=home, env=environment(home), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            if line.startswith(after) and after not in said:
                process.send_signal(sent)
            said += line
        process.wait()
    return process.returncode, said


def outcome(said: str) -> str:
    return said[said.index(" in place of ") :]


def test_what_is_missing_is_made_and_nothing_else(home: Path) -> None:
    made = {path.name for path in (home / "data" / "demo").iterdir() if path.is_dir()}
    assert {"raw", "prepared", "studies"} <= made
    assert not {"models", "evaluation", "recommendations"} & made


def test_a_line_a_trial_a_table_and_what_to_set(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (home / "said.txt").read_text()
    lines = trials(said)
    assert [line.split()[1] for line in lines] == ["0", "1", "2"]
    assert lines[0].endswith("as now")
    assert all(" best 0." in line for line in lines)
    assert "on validation, better by" in said
    assert "only the test says what it is worth" in said
    text = said[said.index(f"\n[models.{MODEL}]") :]
    own = tomllib.loads(text)["models"][MODEL]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "collie.toml").write_text(text)
    assert load_settings().models.matrix_factorization.model_dump().items() >= own.items()
    assert own["epochs"] == 6  # a setting that is not searched stays


def test_the_same_command_goes_on_after_the_last_trial(home: Path) -> None:
    _, again, _ = collie(home, "tune", MODEL, "--trials", "3")
    assert trials(again) == []
    assert "on validation, better by" in again
    _, more, _ = collie(home, "tune", MODEL, "--trials", "4")
    assert [line.split()[1] for line in trials(more)] == ["3"]


def test_the_environment_that_overrules_is_named(home: Path) -> None:
    variable = "COLLIE_MODELS__MATRIX_FACTORIZATION__LR"
    _, said, _ = collie(home, "tune", MODEL, "--trials", "2", **{variable: "0.0001"})
    assert f"The environment overrules it: unset {variable}" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bert4rec",), "unknown model to tune 'bert4rec': use one of ['cold_start', "),
        (("popularity",), "unknown model to tune 'popularity'"),
        (("ease", "--week", "1999-01-04"), "week 1999-01-04 is not in the source"),
    ],
)
def test_a_mistake_is_one_message(home: Path, arguments: tuple[str, ...], said: str) -> None:
    assert collie(home, "tune", *arguments)[:2] == (1, "")
    assert said in collie(home, "tune", *arguments)[2]


def test_without_the_extra_the_way_to_it_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)  # as if it were not installed
    code, _, said = collie(home, "tune", MODEL)
    assert code == 1
    assert "pip install 'collie-pipeline[tune]'" in said


@pytest.mark.slow
def test_a_killed_search_goes_on_as_if_it_had_not_been(home: Path, tmp_path: Path) -> None:
    (tmp_path / "collie.toml").write_text(SMALL)
    code, said = ended(tmp_path, signal.SIGKILL, "trial   1")
    assert code == -signal.SIGKILL
    assert len(trials(said)) in (2, 3)
    _, resumed, _ = collie(tmp_path, "tune", MODEL, "--trials", "4")
    _, undisturbed, _ = collie(home, "tune", MODEL, "--trials", "4")
    assert trials(resumed)[-1].startswith("trial   3")
    assert outcome(resumed) == outcome(undisturbed)


@pytest.mark.slow
def test_a_search_that_is_stopped_says_what_it_found(tmp_path: Path) -> None:
    (tmp_path / "collie.toml").write_text(SMALL)
    code, said = ended(tmp_path, signal.SIGINT, "trial   2")
    assert code == 130
    assert "Stopped: the same command goes on." in said
    assert "on validation" in said
