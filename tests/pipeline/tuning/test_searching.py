"""The search itself: what it is made of, how it is cut short, and that it goes on."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from searched import FEW, WEEK, ingredients

from collie_pipeline.ingredients import Ingredients
from collie_pipeline.model_settings import ItemKNNSettings
from collie_pipeline.modelling import make
from collie_pipeline.settings import load_settings
from collie_pipeline.tuning.outcome import Outcome, table
from collie_pipeline.tuning.searching import search
from collie_pipeline.tuning.study import Study, opened
from collie_pipeline.tuning.subject import Subject
from collie_pipeline.tuning.tried import Listener, Tried, tried
from collie_pipeline.tuning.tune import Budget, tune

MODEL = "matrix_factorization"


@pytest.fixture
def given(tmp_path: Path) -> Ingredients:
    return ingredients(tmp_path)


@pytest.fixture
def slow(tmp_path: Path) -> Ingredients:
    return ingredients(tmp_path, **{MODEL: {"lr": 1e-4}})


def outcome_of(given: Ingredients, trials: int, model: str = MODEL) -> Outcome:
    return tune(model, given, WEEK, Budget(trials))


def studies(given: Ingredients) -> list[Path]:
    return sorted((given.settings.root / "studies").glob("*/*"))


def queue(study: Study, **drawn: Any) -> None:
    """Have a candidate tried next that differs from the present settings as said."""
    study.optuna_study.enqueue_trial({**study._present(), **drawn})


def test_the_first_trial_has_the_present_settings_and_their_value(given: Ingredients) -> None:
    found = outcome_of(given, 1)
    history = make(MODEL, given).history
    assert history is not None
    assert found.tried[0].changed == {}
    assert found.tried[0].value == pytest.approx(history.best_score)
    assert found.tried[0].epochs == history.best_epoch
    assert (found.best.number, found.gain.mean, found.gain.high) == (0, 0, 0)


def test_one_seed_gives_the_same_trials_and_another_other_ones(given: Ingredients) -> None:
    first = table(outcome_of(given, 4, "item_knn"))
    shutil.rmtree(given.settings.root / "studies")
    assert table(outcome_of(given, 4, "item_knn")).equals(first)
    other = replace(given, settings=given.settings.model_copy(update={"seed": 1}))
    again = table(outcome_of(other, 4, "item_knn"))
    assert again["neighbours"].iloc[0] == first["neighbours"].iloc[0]
    assert not np.intersect1d(again["neighbours"][1:], first["neighbours"][1:]).size


def test_a_search_in_parts_is_the_search_at_once(given: Ingredients) -> None:
    for trials in range(1, 15):  # ten are drawn blindly
        in_parts = table(outcome_of(given, trials, "item_knn"))
    shutil.rmtree(given.settings.root / "studies")
    assert in_parts.equals(table(outcome_of(given, 14, "item_knn")))
    assert in_parts["neighbours"].nunique() > 10


def test_a_trial_that_was_not_finished_is_tried_again(given: Ingredients) -> None:
    class Killed(BaseException):
        pass

    class Killing(Listener):
        def epoch(self, number: int, step: int, value: float) -> None:  # noqa: ARG002
            if (number, step) == (1, 3):
                raise Killed

    with pytest.raises(Killed):
        tune(MODEL, given, WEEK, Budget(2), Killing())
    [study] = studies(given)
    with (study / "journal.log").open("a") as journal:
        journal.write("half a line of what Optuna w")
    resumed = table(outcome_of(given, 2))
    with opened(Subject(MODEL, given), given.settings.root, WEEK) as kept:
        states = [trial.state.name for trial in kept.optuna_study.get_trials()]
    assert states == ["COMPLETE", "FAIL", "COMPLETE"]
    shutil.rmtree(given.settings.root / "studies")
    assert resumed.equals(table(outcome_of(given, 2)))


def test_a_trial_that_learns_nothing_is_pruned_and_trains_no_further(given: Ingredients) -> None:
    with opened(Subject(MODEL, given), given.settings.root, WEEK) as study:
        search(study, Budget(1))
        for rate in (0.03, 0.04, 0.05, 0.06, 0.07):
            queue(study, lr=rate, embedding_dim=64, weight_decay=0.01)  # which learn
        queue(study, lr=1e-4, weight_decay=0.1)
        search(study, Budget(7))
        last = tried(study)[-1]
    assert (last.changed["lr"], last.changed["weight_decay"]) == (1e-4, 0.1)
    assert last.state == "pruned"
    assert last.epochs == 5 < FEW["epochs"]


def test_a_stage_is_held_against_the_same_stage_only(given: Ingredients) -> None:
    class Noting(Listener):
        def __init__(self) -> None:
            self.steps: dict[int, list[int]] = {}

        def epoch(self, number: int, step: int, value: float) -> None:  # noqa: ARG002
            self.steps.setdefault(number, []).append(step)

    heard = Noting()
    tune("cold_start", given, WEEK, Budget(2), heard)
    most = given.settings.models.cold_start.epochs
    for steps in heard.steps.values():
        assert {step // most for step in steps} == {0, 1}
        assert steps == sorted(set(steps))


def test_a_trial_that_cannot_be_made_is_refused_with_the_reason(tmp_path: Path) -> None:
    one = {MODEL: {**FEW, "loss": "hinge", "num_negative_samples": 1}}
    given = ingredients(tmp_path, **one)
    with opened(Subject(MODEL, given), given.settings.root, WEEK) as study:
        search(study, Budget(1))
        queue(study, loss="warp")
        search(study, Budget(2))
        last = tried(study)[-1]
    assert (last.state, last.value) == ("refused", None)
    assert "needs several negative items" in last.reason


def test_present_settings_that_cannot_be_trained_are_an_error(tmp_path: Path) -> None:
    given = ingredients(tmp_path, **{MODEL: {**FEW, "num_negative_samples": 1, "loss": "warp"}})
    for _ in range(2):  # the second time from what the first left
        with pytest.raises(ValueError, match="needs several negative items"):
            outcome_of(given, 2)


def test_no_trial_begins_after_the_seconds(given: Ingredients) -> None:
    outcome_of(given, 1)
    found = tune(MODEL, given, WEEK, Budget(50, seconds=1e-9))
    assert len(found.tried) == 1


def test_a_search_that_found_nothing_says_so(given: Ingredients) -> None:
    with pytest.raises(ValueError, match=f"{MODEL}: nothing was tried to its end: search longer"):
        tune(MODEL, given, WEEK, Budget(3, seconds=1e-9))


def test_the_gain_is_that_of_the_best_user_by_user(slow: Ingredients) -> None:
    with opened(Subject(MODEL, slow), slow.settings.root, WEEK) as study:
        search(study, Budget(4))
        best, first = study.values(study.best()), study.values(0)
        assert {path.stem for path in study.folder.glob("*.npy")} == {"0", str(study.best())}
    found = outcome_of(slow, 4)
    assert found.best.number > 0
    assert found.best.value == pytest.approx(best.mean())
    assert found.gain.mean == pytest.approx(float((best - first).mean()))
    assert found.gain.low <= found.gain.mean <= found.gain.high


def test_what_is_printed_for_collie_toml_sets_the_best(slow: Ingredients, tmp_path: Path) -> None:
    found = outcome_of(slow, 4)
    assert found.best.number > 0
    (tmp_path / "collie.toml").write_text(found.toml)
    own = load_settings().models.matrix_factorization
    assert {name: getattr(own, name) for name in found.best.settings} == found.best.settings
    present = slow.settings.models.matrix_factorization
    assert (own.epochs, own.patience) == (present.epochs, present.patience)


def test_the_text_for_collie_toml_holds_layers(tmp_path: Path) -> None:
    given = ingredients(tmp_path, hybrid={"epochs": 1, "combined_layers_dims": [8, 4]})
    (tmp_path / "collie.toml").write_text(outcome_of(given, 1, "hybrid").toml)
    assert load_settings().models.hybrid == given.settings.models.hybrid


def test_of_ratings_less_error_is_better(tmp_path: Path) -> None:
    given = ingredients(tmp_path, rated=True, **{MODEL: {**FEW, "loss": "mse"}})
    found = outcome_of(given, 6)
    values = [each.value for each in found.tried if each.state == "complete"]
    history = make(MODEL, given).history
    assert history is not None
    assert (found.metric, found.label) == ("mse", "MSE")
    assert found.tried[0].value == pytest.approx(history.best_score, rel=1e-5)
    assert found.best.value == min(value for value in values if value is not None)
    assert found.best.value < found.tried[0].value
    assert found.gain.mean == pytest.approx(found.tried[0].value - found.best.value)


def other_settings(given: Ingredients) -> Ingredients:
    models = given.settings.models.model_copy(update={"item_knn": ItemKNNSettings(neighbours=5)})
    return replace(given, settings=given.settings.model_copy(update={"models": models}))


def other_data(given: Ingredients) -> Ingredients:
    given.train.write_bytes(given.train.read_bytes() + b"\0")
    return given


def test_other_settings_or_data_are_another_study(given: Ingredients) -> None:
    for count, change in enumerate((replace, other_settings, other_data), 1):
        assert len(outcome_of(change(given), 1, "item_knn").tried) == 1
        assert len(studies(given)) == count


def test_data_that_change_meanwhile_end_the_search(given: Ingredients) -> None:
    class Writing(Listener):
        def epoch(self, number: int, step: int, value: float) -> None:  # noqa: ARG002
            os.utime(given.train, ns=(1, 1))

    with pytest.raises(ValueError, match=r"train\.h5 was written anew while it was searched on"):
        tune(MODEL, given, WEEK, Budget(2), Writing())


def test_a_model_without_settings_is_refused_with_those_that_have_some(given: Ingredients) -> None:
    with pytest.raises(ValueError, match=r"unknown model to tune 'popularity': use one of \['cold"):
        outcome_of(given, 1, "popularity")


def test_whoever_listens_hears_of_every_trial(given: Ingredients) -> None:
    class Noting(Listener):
        def __init__(self) -> None:
            self.heard: Mapping[int, int] = {}

        def ended(self, each: Tried, best: Tried) -> None:
            self.heard = {**self.heard, each.number: best.number}

    heard = Noting()
    found = tune(MODEL, given, WEEK, Budget(3), heard)
    assert list(heard.heard) == [0, 1, 2]
    assert heard.heard[2] == found.best.number
