from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small_project import small_settings

from collie_core.bundle import model_of, read_bundle, save_bundle
from collie_core.model import ARCHITECTURES
from collie_pipeline.ingredients import Ingredients
from collie_pipeline.model_settings import Models
from collie_pipeline.model_table import TABLE, chain
from collie_pipeline.modelling import MAKERS, make, remake
from collie_pipeline.preparation import item_features, write_hdf5
from collie_pipeline.project import Project

NAMES = [row.name for row in TABLE]
TINY = {"epochs": 2, "num_negative_samples": 3}
SMALL = {"embedding_dim": 4, **TINY}
MODELS = {
    "matrix_factorization": SMALL,
    "mlp_matrix_factorization": {**SMALL, "num_layers": 1},
    "nonlinear_matrix_factorization": TINY,
    "collaborative_metric_learning": SMALL,
    "neural_collaborative_filtering": {**SMALL, "num_layers": 1},
    "deep_fm": {**SMALL, "num_layers": 1},
    "hybrid_pretrained": {**TINY, "combined_layers_dims": [4]},
    "cold_start": SMALL,
    "hybrid": {**SMALL, "combined_layers_dims": [4]},
}


@pytest.fixture
def given(tmp_path: Path) -> Ingredients:
    rng = np.random.default_rng(0)
    pairs = sorted({(f"u{u:02}", f"i{i:02}") for u, i in rng.integers(0, (30, 20), (300, 2))})
    rows = pd.DataFrame(pairs, columns=["user_id", "item_id"])
    rows["timestamp"] = pd.date_range("2026-01-05", periods=len(rows), freq="h", tz="UTC")
    write_hdf5(rows, tmp_path / "train.h5")
    write_hdf5(rows, tmp_path / "validation.h5")
    ids = sorted(rows["item_id"].unique())
    items = pd.DataFrame({"item_id": ids, "title": "A (1990)", "genres": ["x", "y"] * 10})
    return Ingredients(
        small_settings(tmp_path / "data", models=MODELS),
        tmp_path / "train.h5",
        tmp_path / "validation.h5",
        item_features(items, ids, ("genres",), "genres"),
    )


def made(names: list[str], given: Ingredients, folder: Path) -> dict[str, Path]:
    """Make each of `names` from the bundle of the one before, and return their bundles."""
    bundles: dict[str, Path] = {}
    for name in names:
        previous = list(bundles.values())[-1] if bundles else None
        step = Ingredients(
            given.settings, given.train, given.validation, given.features, "cpu", previous
        )
        model = make(name, step)
        bundles[name] = folder / f"{len(bundles)}.bundle"
        save_bundle(model.model, bundles[name], model.ids)
    return bundles


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_made_and_scores_everybody(
    name: str, given: Ingredients, tmp_path: Path
) -> None:
    stages = chain(name.split("/")[0], NAMES)
    bundles = made(stages[: stages.index(name) + 1], given, tmp_path)
    bundle = read_bundle(bundles[name])
    scores = model_of(bundle).score_all(torch.arange(30))
    assert scores.shape == (30, 20)
    assert scores.isfinite().all()
    assert len(bundle.ids["user_id"]) == 30


@pytest.mark.parametrize("name", ["hybrid_pretrained", "hybrid", "cold_start", "ease"])
def test_a_winner_is_made_again_with_all_that_it_starts_from(
    name: str, given: Ingredients, tmp_path: Path
) -> None:
    bundles = made(chain(name, NAMES), given, tmp_path)
    again = remake(bundles, given)
    last = read_bundle(list(bundles.values())[-1])
    assert type(again.model).__name__ == last.class_name
    epochs = last.config.get("num_epochs_completed")
    assert again.model.config().get("num_epochs_completed") == epochs


def test_a_chain_begins_with_what_is_made_first() -> None:
    assert chain("hybrid", NAMES) == [
        "hybrid/matrix_factorization",
        "hybrid/metadata_only",
        "hybrid/all",
    ]
    assert chain("hybrid_pretrained", NAMES) == ["matrix_factorization", "hybrid_pretrained"]
    assert chain("popularity", NAMES) == ["popularity"]


def test_every_model_of_the_library_has_a_row_and_settings() -> None:
    families = {row.model for row in TABLE}
    assert families == MAKERS.keys()
    assert set(ARCHITECTURES) <= families
    assert families - {"popularity"} <= Models.model_fields.keys()


def test_partial_credit_reaches_the_loss(given: Ingredients, tmp_path: Path) -> None:
    plain, with_credit = (
        make("matrix_factorization", replace(given, settings=settings)).history
        for settings in (
            small_settings(
                tmp_path / "data",
                models={"matrix_factorization": {**SMALL, "loss": "warp", "partial_credit": share}},
            )
            for share in (0.0, 0.5)
        )
    )
    assert plain is not None
    assert with_credit is not None
    assert with_credit.losses[0] < plain.losses[0]


@pytest.mark.parametrize(("decay", "moves"), [(1e-9, False), (1.0, True)])
def test_the_rate_falls_after_each_epoch(
    decay: float, moves: bool, given: Ingredients, tmp_path: Path
) -> None:
    name = "matrix_factorization"
    settings = small_settings(
        tmp_path / "data", models={name: {**SMALL, "lr": 0.1, "lr_decay": decay}}
    )
    once, often = (
        make(name, replace(given, settings=settings, validation=None, epochs={name: epochs}))
        for epochs in (1, 4)
    )
    assert isinstance(once.model, torch.nn.Module)
    assert isinstance(often.model, torch.nn.Module)
    pairs = zip(once.model.parameters(), often.model.parameters(), strict=True)
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in pairs) is not moves


def test_a_model_that_starts_from_another_needs_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="starts from matrix_factorization: add that too"):
        small_settings(tmp_path, models={"names": ["popularity", "hybrid_pretrained"]})


@pytest.mark.parametrize("name", ["hybrid_pretrained", "cold_start/item_buckets", "hybrid/all"])
def test_what_is_missing_is_named(name: str, given: Ingredients) -> None:
    bare = Ingredients(given.settings, given.train, given.validation)
    with pytest.raises(ValueError, match=r"(features|previous) is None: pass"):
        make(name, bare)


def test_a_model_begins_where_last_weeks_ended(given: Ingredients, tmp_path: Path) -> None:
    last = made(["matrix_factorization"], given, tmp_path)
    warm = make("matrix_factorization", replace(given, warm=last))
    cold = make("matrix_factorization", given)
    assert (warm.warm_rows, cold.warm_rows) == (2 * (30 + 20), 0)  # factors and biases
    assert warm.history is not None
    assert cold.history is not None
    assert warm.history.losses[0] < cold.history.losses[0]


def test_a_model_of_other_settings_begins_anew(given: Ingredients, tmp_path: Path) -> None:
    last = made(["matrix_factorization"], given, tmp_path)
    wider = small_settings(
        tmp_path / "data", models={"matrix_factorization": {**SMALL, "embedding_dim": 5}}
    )
    again = make("matrix_factorization", replace(given, settings=wider, warm=last))
    assert again.warm_rows == 0


def test_a_week_begins_from_the_newest_bundle_of_its_window(tmp_path: Path) -> None:
    demo = {"users": 120, "items": 80, "ratings": 2_400, "weeks": 8}
    project = Project(small_settings(tmp_path, demo=demo, models={"warm_start": True}))
    week = project.span[1]
    window = project.window(week)
    before = project.fingerprint(week)
    folder = tmp_path / "models" / "matrix_factorization"
    folder.mkdir(parents=True)
    for other in (week, window[0].previous):  # itself, and one that the window has left behind
        (folder / f"{other.key}.bundle").write_bytes(b"a model")
    assert project.warm_bundles(week) == {}
    assert project.fingerprint(week) == before
    fingerprints = {before}
    for other in window[:-1][:2]:  # the last week is never there: a gap
        bundle = folder / f"{other.key}.bundle"
        bundle.write_bytes(other.key.encode())
        assert project.warm_bundles(week) == {"matrix_factorization": bundle}
        fingerprints.add(project.fingerprint(week))
    assert len(fingerprints) == 3
    assert Project(small_settings(tmp_path)).warm_bundles(week) == {}
