"""A training that begins where an earlier one ended: how much it keeps of that."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small_project import small_settings, written_pairs

from collie_core.bundle import model_of, read_bundle, save_bundle
from collie_core.files import sha256
from collie_core.watchers import History
from collie_pipeline.ingredients import Ingredients, Made
from collie_pipeline.inputs import inputs_of
from collie_pipeline.keeping import Keeping
from collie_pipeline.modelling import make
from collie_pipeline.sections import Trainings
from collie_pipeline.settings import Settings, SettingsError

NAME, EPOCHS = "matrix_factorization", 4
OWN = {"embedding_dim": 4, "epochs": EPOCHS, "patience": EPOCHS, "lr": 0.1}
STANDING = 1e-9  # a learning rate with which a model hardly moves


def settings(folder: Path, own: dict[str, Any] | None = None, **models: float) -> Settings:
    return small_settings(folder / "data", models={NAME: {**OWN, **(own or {})}, **models})


@pytest.fixture
def given(tmp_path: Path) -> Ingredients:
    rows = written_pairs(tmp_path)
    return Ingredients(settings(tmp_path), rows, rows)


@pytest.fixture
def last(given: Ingredients, tmp_path: Path) -> Path:
    """A bundle of the week before."""
    return saved(make(NAME, given), tmp_path / "2026-01-05.bundle")


def saved(made: Made, path: Path) -> Path:
    save_bundle(made.model, path, made.ids)
    return path


def test_it_begins_between_where_the_last_ended_and_from_scratch(
    given: Ingredients, last: Path, tmp_path: Path
) -> None:
    old = model_of(read_bundle(last)).tensors()
    scratch, partly, wholly = (
        make(
            NAME,
            replace(
                given,
                settings=settings(tmp_path, {"lr": STANDING}, warm_shrink=shrink),
                warm={NAME: last},
            ),
        ).model.tensors()
        for shrink in (0.0, 0.75, 1.0)
    )
    for name, each in partly.items():
        assert not torch.allclose(scratch[name], old[name], atol=1e-2)
        torch.testing.assert_close(wholly[name], old[name])
        torch.testing.assert_close(each, 0.75 * old[name] + 0.25 * scratch[name])


def test_the_next_week_can_begin_from_a_warm_model(
    given: Ingredients, last: Path, tmp_path: Path
) -> None:
    path = saved(make(NAME, replace(given, warm={NAME: last})), tmp_path / "2026-01-12.bundle")
    again = make(NAME, replace(given, warm={NAME: path}))
    assert (again.warm_rows, again.warm_from) == (2 * (20 + 20), "2026-01-12")


def test_a_stopped_one_goes_on_to_the_same_bytes(
    given: Ingredients, last: Path, tmp_path: Path
) -> None:
    warm = replace(given, warm={NAME: last})
    undisturbed = saved(make(NAME, warm), tmp_path / "undisturbed.bundle")
    kept = Keeping(tmp_path / "kept", NAME, "2026-01-12", Trainings(checkpoint_seconds=0))

    def stop(history: History) -> None:
        if len(history.losses) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        make(NAME, replace(warm, keeping=kept, after_epoch=stop))
    resumed = make(NAME, replace(warm, keeping=kept))
    assert resumed.history is not None
    assert resumed.history.resumed_after in (2, 3)
    assert sha256(saved(resumed, tmp_path / "resumed.bundle")) == sha256(undisturbed)


def test_another_shrink_is_another_training_only_where_there_is_something_to_begin_from(
    given: Ingredients, last: Path, tmp_path: Path
) -> None:
    both = [given, replace(given, settings=settings(tmp_path, warm_shrink=0.1))]
    assert len({inputs_of(NAME, each) for each in both}) == 1
    assert len({inputs_of(NAME, replace(each, warm={NAME: last})) for each in both}) == 2


def test_a_shrink_out_of_its_bounds_is_no_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"models.warm_shrink is 1.1: .* less than or equal"):
        settings(tmp_path, warm_shrink=1.1)
