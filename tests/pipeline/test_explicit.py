"""Models that learn ratings, in the whole graph and piece by piece."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest
import torch
from rich.console import Console
from small_project import small_settings

from collie_core.bundle import load_model, save_bundle
from collie_core.metrics import METRICS
from collie_core.utils import pandas_df_to_hdf5
from collie_pipeline.boards import readable
from collie_pipeline.definitions import make_definitions
from collie_pipeline.evaluating import leaderboard, rating_errors
from collie_pipeline.ingredients import Ingredients
from collie_pipeline.model_table import TABLE
from collie_pipeline.modelling import make, remake
from collie_pipeline.needs import Counts, needed
from collie_pipeline.project import Project
from collie_pipeline.running import RunError, run_week
from collie_pipeline.sections import Evaluation
from collie_pipeline.settings import SettingsError

QUIET = Console(quiet=True)
RATINGS = {f"prepared/ratings{part}" for part in ("", "_train", "_validation", "_test")}
TINY = {"embedding_dim": 4, "epochs": 30, "patience": 30, "lr": 0.03}
EXPLICIT = {"names": ["matrix_factorization"], "matrix_factorization": {"loss": "mse", **TINY}}
NAME = "matrix_factorization"


def keys(project: Project) -> dict[str, set[str]]:
    """Return what each asset depends on."""
    definitions = make_definitions(project)
    dg.Definitions.validate_loadable(definitions)
    return {
        spec.key.to_user_string(): {dep.asset_key.to_user_string() for dep in spec.deps}
        for spec in definitions.resolve_all_asset_specs()
    }


def test_ratings_are_prepared_only_where_a_model_learns_them(tmp_path: Path) -> None:
    implicit, explicit = (
        keys(Project(small_settings(tmp_path, models=models))) for models in ({}, EXPLICIT)
    )
    assert not RATINGS & implicit.keys()
    assert explicit.keys() >= RATINGS
    assert explicit[f"models/{NAME}"] == {"prepared/ratings_train", "prepared/ratings_validation"}
    assert "prepared/ratings_test" in explicit[f"evaluation/{NAME}"]
    assert {"prepared/ratings", "prepared/hdf5"} <= explicit["models/champion"]


def test_a_model_of_ratings_goes_from_rows_to_a_publication(tmp_path: Path) -> None:
    project = Project(small_settings(tmp_path / "data", models=EXPLICIT))
    week = project.span[1]
    run_week(project, week, QUIET)
    board = pd.read_parquet(tmp_path / f"data/evaluation/leaderboard/{week.key}.parquet")
    tests = pd.read_parquet(tmp_path / f"data/prepared/clean/{week.key}.parquet")["rating"]
    assert board["mse"].iloc[0] < tests.var() * 1.2  # the ratings of the newest week
    assert 0 < board["mae"].iloc[0] < np.sqrt(board["mse"].iloc[0])
    assert board["mapk"].iloc[0] > 0
    for name in (NAME, "champion"):
        model = load_model(tmp_path / f"data/models/{name}/{week.key}.bundle")
        scores = model.score_all(torch.arange(10)).detach()
        assert 2.5 < float(scores.median()) < 4.5  # not a ranking of positives: ratings


def test_a_source_without_ratings_names_the_setting(tmp_path: Path) -> None:
    monday = datetime(2026, 1, 5, tzinfo=UTC)
    rows = [
        (f"u{user}", f"i{(user + n) % 20}", (monday + timedelta(hours=2 * n + user)).isoformat())
        for user in range(15)
        for n in range(10)
    ]
    folder = tmp_path / "files"
    folder.mkdir()
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])
    table.to_csv(folder / "events.csv", index=False)
    source = {"interactions": "*.csv", "time_unit": "iso"}
    project = Project(
        small_settings(
            tmp_path / "data", source="files", data_path=folder, files=source, models=EXPLICIT
        )
    )
    with pytest.raises(RunError, match=r"have a rating.*set models\.matrix_factorization\.loss to"):
        run_week(project, project.week(), QUIET)


def rated(path: Path, seed: int) -> Path:
    """Write ratings of 30 users for 20 items that both have their own level."""
    rng = np.random.default_rng(seed)
    users, items = np.divmod(rng.permutation(600)[:300], 20)
    stars = 3 + users % 2 - items % 3 + rng.normal(0, 0.1, 300)
    ids = {"user_id": [f"u{n:02}" for n in range(30)], "item_id": [f"i{n:02}" for n in range(20)]}
    table = pd.DataFrame({"user_id": users, "item_id": items, "rating": stars})
    pandas_df_to_hdf5(table, path, num_users=30, num_items=20, ids=ids)
    return path


@pytest.fixture
def given(tmp_path: Path) -> Ingredients:
    settings = small_settings(tmp_path, models={NAME: {"loss": "mse", **TINY, "dropout_p": 0.0}})
    return Ingredients(settings, rated(tmp_path / "train.h5", 0), rated(tmp_path / "v.h5", 1))


def test_the_epoch_with_the_least_error_on_ratings_is_kept(
    given: Ingredients, tmp_path: Path
) -> None:
    made = make(NAME, given)
    assert made.history is not None
    assert made.history.metric == "mse"
    assert made.history.best_score == min(made.history.scores)
    save_bundle(made.model, tmp_path / "mf.bundle", made.ids)
    assert given.validation is not None
    errors = rating_errors(load_model(tmp_path / "mf.bundle"), given.validation)  # type: ignore[arg-type]
    assert errors["mse"] == pytest.approx(made.history.best_score)


def test_a_winner_of_ratings_is_made_again_from_ratings(given: Ingredients, tmp_path: Path) -> None:
    made = make(NAME, given)
    save_bundle(made.model, tmp_path / "mf.bundle", made.ids)
    again = remake({NAME: tmp_path / "mf.bundle"}, given, given.train)
    scores = again.model.score_all(torch.arange(30)).detach()
    assert float(scores.mean()) == pytest.approx(2.5, abs=0.5)  # of the ratings
    assert float(scores.std()) > 0.3
    with pytest.raises(ValueError, match="pass prepared/ratings"):
        remake({NAME: tmp_path / "mf.bundle"}, given)


def test_errors_are_columns_of_the_board_once_a_model_has_them() -> None:
    def table(**attributes: float) -> pd.DataFrame:
        metrics = {name: [0.25, 0.5] for name in METRICS}
        segments = {"is_cold": False, "recall_head": 0.5, "recall_tail": 0.5}
        made = pd.DataFrame({"user_id": ["a", "b"], **segments, **metrics})
        made.attrs.update(attributes)
        return made

    settings = Evaluation(resamples=100)
    assert "mse" not in leaderboard({"ease": table()}, settings)
    board = leaderboard({"ease": table(), NAME: table(mse=1.5, mae=1.25)}, settings)
    errors = board.set_index("model")[["mse", "mae"]]
    assert errors.loc[NAME].tolist() == [1.5, 1.25]
    assert errors.loc["ease"].isna().all()
    shown = readable(board.assign(bytes=1.0), 10, {}).set_index("model")
    assert (shown.loc["ease", "MSE"], shown.loc[NAME, "MSE"]) == ("–", "1.5000")


def test_a_parquet_file_keeps_the_attributes_of_a_table(tmp_path: Path) -> None:
    table = pd.DataFrame({"user_id": ["a"]})
    table.attrs.update({"mse": 0.1 + 0.2})
    table.to_parquet(tmp_path / "table.parquet", index=False)
    assert pd.read_parquet(tmp_path / "table.parquet").attrs == {"mse": 0.1 + 0.2}


def test_learning_ratings_needs_no_room_for_negatives(tmp_path: Path) -> None:
    batches = [
        needed(NAME, small_settings(tmp_path, models={NAME: own}), Counts(100, 1, 1_000))
        .parts["memory"]
        .get("batch", 0)
        for own in ({"loss": "mse"}, {"loss": "warp", "num_negative_samples": 10})
    ]
    assert batches[0] < batches[1] / 3


@pytest.mark.parametrize("name", [row.name for row in TABLE if row.trains and not row.after])
def test_every_model_of_one_stage_and_every_first_stage_learns_ratings(
    given: Ingredients, tmp_path: Path, name: str
) -> None:
    family = name.partition("/")[0]
    if family == "collaborative_metric_learning":
        with pytest.raises(SettingsError, match=r"models\.collaborative_metric_learning\.loss"):
            small_settings(tmp_path, models={family: {"loss": "mse"}})
        return
    own = {"loss": "mae", "epochs": 3}
    features = pd.DataFrame(
        {
            "item_id": [f"i{n:02}" for n in range(20)],
            "bucket": ["a", "b"] * 10,
            "a": [0.0, 1.0] * 10,
        }
    )
    settings = small_settings(tmp_path, models={family: own})
    made = make(name, replace(given, settings=settings, features=features))
    assert made.history is not None
    assert made.history.losses[0] < 1.5  # from 0 on it would be 2.5
    assert made.history.scores[-1] < 1.5


@pytest.mark.parametrize("loss", ["mse", "warp"])
def test_a_model_of_ratings_begins_from_another_of_any_loss(
    given: Ingredients, tmp_path: Path, loss: str
) -> None:
    ids = [f"i{n:02}" for n in range(20)]
    features = pd.DataFrame({"item_id": ids, "bucket": "a", "a": [0.0, 1.0] * 10})
    models = {NAME: {**TINY, "loss": loss}, "hybrid_pretrained": {"loss": "mse", "epochs": 3}}
    step = replace(given, settings=small_settings(tmp_path, models=models), features=features)
    first = make(NAME, step)
    save_bundle(first.model, tmp_path / "mf.bundle", first.ids)
    made = make("hybrid_pretrained", replace(step, previous=tmp_path / "mf.bundle"))
    assert made.history is not None
    assert made.history.losses[0] < 3.5  # from 0 on it would be 7


def test_partial_credit_has_nothing_to_credit_where_ratings_are_learned(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="loss 'mae' draws no negative items: leave it out"):
        small_settings(tmp_path, models={NAME: {"loss": "mae", "partial_credit": 0.5}})
