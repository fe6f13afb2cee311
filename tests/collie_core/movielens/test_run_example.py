import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from collie_core.model import MatrixFactorizationModel
from collie_core.movielens import run_movielens_example

RUN = str(Path(__file__).resolve().parents[3] / "collie_core" / "movielens" / "run.py")
REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "ml-100k"
PRINTED = re.compile(r"^(\w+) +AUC ([\d.]+) +MRR ([\d.]+) +MAP@10 ([\d.]+)$", re.MULTILINE)
Run = Callable[..., dict[str, tuple[float, ...]]]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data path with ratings of 30 users, who love films of their own remainder by 4."""
    folder = tmp_path / "ml-100k"
    folder.mkdir()
    rated = [(user, film) for user in range(30) for film in range(80) if (user + film) % 2]
    lines = [f"{u + 1}\t{i + 1}\t{5 if u % 4 == i % 4 else 4 - i % 2}\t0\n" for u, i in rated]
    (folder / "u.data").write_text("".join(lines))
    for name in ("u.item", "u.user"):
        (folder / name).touch()
    monkeypatch.setenv("DATA_PATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def and_read(**options: int) -> dict[str, tuple[float, ...]]:
        run_movielens_example(**options)
        found = PRINTED.findall(capsys.readouterr().out)
        return {name: tuple(map(float, values)) for name, *values in found}

    return and_read


def test_the_model_is_scored_on_each_part_and_saved(small: Path, run: Run) -> None:
    scores = run(epochs=1)
    assert list(scores) == ["train", "validation", "test"]
    assert all(0 <= value <= 1 for values in scores.values() for value in values)
    model = MatrixFactorizationModel(load_model_path=small / "fitted_model")
    assert (model.num_users, model.hparams["embedding_dim"]) == (30, 10)
    assert model.hparams["num_epochs_completed"] == 1


@pytest.mark.usefixtures("small")
def test_the_same_data_give_the_same_scores_and_leave_torch_s_generator_alone(run: Run) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = run(epochs=1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert run(epochs=1) == first


@pytest.mark.usefixtures("small")
def test_no_epoch_is_refused() -> None:
    with pytest.raises(ValueError, match="epochs is 0, must be at least 1"):
        run_movielens_example(epochs=0)


def test_it_is_a_script_that_takes_its_arguments_by_name(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "--epochs", "2", "--gpus", "0"])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # Typer sets its own
    with pytest.raises(SystemExit, match="0"):
        runpy.run_path(RUN, run_name="__main__")
    assert len(PRINTED.findall(capsys.readouterr().out)) == 3
    model = MatrixFactorizationModel(load_model_path=small / "fitted_model")
    assert model.hparams["num_epochs_completed"] == 2


@pytest.mark.slow
def test_it_runs_from_the_terminal_without_a_warning(small: Path) -> None:
    command = [sys.executable, "-W", "error::RuntimeWarning", "-m", "collie_core.movielens.run"]
    done = subprocess.run([*command, "--epochs", "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(PRINTED.findall(done.stdout)) == 3
    assert (small / "fitted_model").is_dir()


def test_importing_the_package_leaves_torch_out() -> None:
    code = "import sys, collie_core.movielens; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(not REAL.is_dir(), reason=f"needs MovieLens 100K at {REAL}")
def test_real_ratings_teach_more_than_chance_after_one_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    (tmp_path / "ml-100k").symlink_to(REAL)
    monkeypatch.setenv("DATA_PATH", str(tmp_path))
    scores = run(epochs=1)
    assert scores["test"][0] > 0.75
    assert scores["train"][2] > scores["test"][2] > 0.01
