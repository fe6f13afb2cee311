"""What trainings leave: checkpoints, logs and curves."""

import sqlite3
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from small_project import small_settings, written_pairs
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from collie_core.bundle import save_bundle
from collie_core.files import sha256
from collie_core.watchers import History
from collie_pipeline.charts import plot
from collie_pipeline.curves import curves
from collie_pipeline.ingredients import Ingredients
from collie_pipeline.inputs import inputs_of
from collie_pipeline.keeping import Keeping
from collie_pipeline.modelling import make
from collie_pipeline.preparation import write_hdf5
from collie_pipeline.sections import Trainings
from collie_pipeline.settings import SettingsError

NAME, WEEK, EPOCHS = "matrix_factorization", "2026-01-05", 4
ALL = ("csv", "tensorboard", "mlflow")
OWN = {"embedding_dim": 4, "epochs": EPOCHS, "patience": EPOCHS, "num_negative_samples": 3}
SVG = "{http://www.w3.org/2000/svg}"


def keeping(root: Path, *loggers: str) -> Keeping:
    return Keeping(root, NAME, WEEK, Trainings(loggers=loggers, checkpoint_seconds=0))  # type: ignore[arg-type]


@pytest.fixture
def given(tmp_path: Path) -> Ingredients:
    rows = written_pairs(tmp_path)
    settings = small_settings(tmp_path / "data", models={NAME: OWN})
    return Ingredients(settings, rows, rows)


def test_loggers_and_checkpoints_leave_the_bundle_as_it_is(
    given: Ingredients, tmp_path: Path
) -> None:
    for name, keeps in (("bare", None), ("kept", keeping(tmp_path / "data", "csv", "tensorboard"))):
        made = make(NAME, replace(given, keeping=keeps))
        save_bundle(made.model, tmp_path / f"{name}.bundle", made.ids)
    assert sha256(tmp_path / "bare.bundle") == sha256(tmp_path / "kept.bundle")


def test_each_logger_has_a_row_an_epoch_and_a_rerun_replaces_it(
    given: Ingredients, tmp_path: Path
) -> None:
    for _ in range(2):
        made = make(NAME, replace(given, keeping=keeping(tmp_path, *ALL)))
        keeping(tmp_path).clear()  # else the second would go on from the first
    logs = tmp_path / "logs"
    table = pd.read_csv(logs / NAME / WEEK / "csv" / "metrics.csv")
    assert table["step"].tolist() == [1, 2, 3, 4]
    assert {"train_loss", "validation_mapk"} <= set(table.columns)
    [events] = (logs / NAME / WEEK / "tensorboard").glob("events.*")
    board = EventAccumulator(str(events)).Reload()
    assert [each.step for each in board.Scalars("train_loss")] == [1, 2, 3, 4]
    with sqlite3.connect(logs / "mlflow.db") as database:
        runs = database.execute("select name, status, lifecycle_stage from runs").fetchall()
    assert sorted(runs) == [(WEEK, "FINISHED", "active"), (WEEK, "FINISHED", "deleted")]
    bare = make(NAME, given).model.tensors()
    assert all(each.equal(bare[name]) for name, each in made.model.tensors().items())


def test_a_logger_that_is_not_installed_is_an_error_that_names_the_extra(
    given: Ingredients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ValueError, match=r"pip install 'collie-pipeline\[tensorboard\]'"):
        make(NAME, replace(given, keeping=keeping(tmp_path, "tensorboard")))


def test_an_unknown_logger_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="'csv', 'tensorboard' or 'mlflow'"):
        small_settings(Path("data"), training={"loggers": ["wandb"]})


def test_how_a_training_is_kept_has_no_influence_on_results(tmp_path: Path) -> None:
    plain = small_settings(tmp_path)
    watched = small_settings(tmp_path, training={"loggers": [], "checkpoint_seconds": 5})
    assert plain.fingerprint() == watched.fingerprint()
    assert plain.training.loggers == ("csv",)


def test_checkpoints_of_the_week_are_cleared_and_others_stay(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints" / NAME
    folder.mkdir(parents=True)
    of_the_week = [f"{WEEK}-a.ckpt", f"{WEEK}-b.ckpt", f".{WEEK}-a.ckpt.x.tmp"]
    for name in (*of_the_week, "2026-01-12-a.ckpt"):
        (folder / name).touch()
    keeping(tmp_path).clear()
    assert [path.name for path in folder.iterdir()] == ["2026-01-12-a.ckpt"]


def test_the_champion_has_places_of_its_own(tmp_path: Path) -> None:
    champion = replace(keeping(tmp_path), asset="champion")
    path = champion.checkpoint("hybrid/all", "0" * 64).path
    assert path.parent == tmp_path / "checkpoints" / "champion" / "hybrid" / "all"
    assert keeping(tmp_path).checkpoint(NAME, "0" * 64).path.parent.name == NAME


def test_other_settings_data_or_epochs_are_another_training(
    given: Ingredients, tmp_path: Path
) -> None:
    other = small_settings(tmp_path / "data", models={NAME: {**OWN, "lr": 0.5}})
    write_hdf5(
        pd.DataFrame(
            {"user_id": ["a"], "item_id": ["b"], "timestamp": [pd.Timestamp(0, tz="UTC")]}
        ),
        tmp_path / "other.h5",
    )
    all_of_them = [
        given,
        replace(given, settings=other),
        replace(given, train=tmp_path / "other.h5"),
        replace(given, epochs={NAME: 2}),
        replace(given, device="cuda"),
        replace(given, warm={NAME: tmp_path / "other.h5"}),
        replace(given, features=pd.DataFrame({"item_id": ["i"], "bucket": ["x"]})),
    ]
    assert len({inputs_of(NAME, each) for each in all_of_them}) == len(all_of_them)
    elsewhere = small_settings(
        tmp_path / "elsewhere", models={NAME: OWN, "ease": {"regularization": 1}}
    )
    assert inputs_of(NAME, replace(given, settings=elsewhere)) == inputs_of(NAME, given)


def test_curves_are_an_svg_with_a_panel_a_number(tmp_path: Path) -> None:
    history = History([3.0, 2.0, 1.5], [0.1, float("nan"), 0.3], best_epoch=3)
    path = keeping(tmp_path).draw(NAME, history)
    assert path == tmp_path / "logs" / NAME / WEEK / "curves.svg"
    picture = ElementTree.fromstring(path.read_text())  # noqa: S314 - our own file
    lines = [each.get("points", "").split() for each in picture.iter(f"{SVG}polyline")]
    assert [len(line) for line in lines] == [3, 2]
    heights = [float(point.split(",")[1]) for point in lines[0]]
    assert heights == sorted(heights), "y grows downwards, as the loss falls"
    said = [each.text for each in picture.iter(f"{SVG}text")]
    assert {"training loss", "validation mapk", "3 epochs", "kept: 3", "1.5"} <= set(said)


def test_a_title_is_no_markup() -> None:
    picture = ElementTree.fromstring(curves({"a<b": [1.0]}, 1, "<&>"))  # noqa: S314
    assert picture.findtext(f"{SVG}title") == "<&>"


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ([1.0, 2.0], ["2 ┤ █", "1 ┤▁█", "   1 2 epochs"]),
        ([float("nan"), 1.0], ["1 ┤  ", "1 ┤ ▁", "   1 2 epochs"]),
    ],
)
def test_a_plot_has_its_scales(values: list[float], lines: list[str]) -> None:
    assert plot(values, height=2).splitlines() == ["```", *lines, "```"]


def test_a_long_plot_keeps_its_ends() -> None:
    lines = plot([float(n) for n in range(500)], width=50, height=4).splitlines()
    assert lines[1].startswith("499 ┤")
    assert lines[1].endswith("█")
    assert lines[4].startswith("  0 ┤▁")
    assert len(lines[1]) == len("499 ┤") + 50
