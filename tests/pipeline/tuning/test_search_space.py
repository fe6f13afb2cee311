"""What is tried of each setting, of every model that has some."""

from pathlib import Path

import optuna
import pytest
from searched import WEEK, ingredients, with_previous
from small_project import small_settings

from collie_pipeline.model_settings import ItemKNNSettings, MatrixFactorizationSettings
from collie_pipeline.model_table import TABLE
from collie_pipeline.sections import Count, Section
from collie_pipeline.tuning.dimensions import Between, OneOf, OrZero, Whole
from collie_pipeline.tuning.space import space_of
from collie_pipeline.tuning.subject import Subject
from collie_pipeline.tuning.tune import Budget, tune
from collie_pipeline.tuning_settings import tunable

MODELS = [row.model for row in TABLE if row.model != "popularity"]
MODEL = "matrix_factorization"
QUICK = {"epochs": 1, "num_negative_samples": 2}


@pytest.mark.parametrize("model", dict.fromkeys(MODELS))
def test_every_model_can_be_tuned(model: str, tmp_path: Path) -> None:
    trains = next(row.trains for row in TABLE if row.model == model)
    given = ingredients(tmp_path, **({model: QUICK} if trains else {}))
    if model == "hybrid_pretrained":
        given = with_previous(given, tmp_path)
    found = tune(model, given, WEEK, Budget(2))
    assert [each.state for each in found.tried] == ["complete", "complete"]
    assert found.tried[0].changed == {}
    assert found.tried[1].changed


def test_models_without_settings_are_the_only_ones_without_a_space(tmp_path: Path) -> None:
    own = tunable(small_settings(tmp_path).models)
    assert own.keys() == {row.model for row in TABLE} - {"popularity"}
    assert all(space_of(each) for each in own.values())


def test_a_setting_that_nobody_thought_of_is_an_error() -> None:
    class More(Section):
        heads: Count = 4

    with pytest.raises(ValueError, match="unknown setting to search 'heads'"):
        space_of(More())


@pytest.mark.parametrize("loss", ["bpr", "adaptive_hinge", "softmax"])
def test_losses_are_those_for_the_same_data_each_once_and_the_present_one(loss: str) -> None:
    tried = space_of(MatrixFactorizationSettings(loss=loss))["loss"]  # type: ignore[arg-type]
    assert isinstance(tried, OneOf)
    assert loss in tried.options
    assert not {"mse", "mae"} & set(tried.options)
    assert not {"bpr", "adaptive_bpr"} <= set(tried.options)  # one loss where negatives are many


def test_what_learns_ratings_tries_losses_of_ratings_and_draws_no_negatives() -> None:
    space = space_of(MatrixFactorizationSettings(loss="mae"))
    assert space["loss"] == OneOf(("mse", "mae"))
    assert not {"num_negative_samples", "batch_users"} & space.keys()


def test_batches_and_negatives_are_tried_as_far_as_a_loss_has_them(tmp_path: Path) -> None:
    subject = Subject(MODEL, ingredients(tmp_path, **{MODEL: {"num_negative_samples": 7}}))
    now = {name: each.drawn(getattr(subject.present, name)) for name, each in subject.space.items()}
    drawn = {**now, "batch_size": 256, "batch_users": 16, "num_negative_samples": 40, "l2": 2.0}
    whole = subject.settings_of({**drawn, "loss": "full_softmax"}).model_dump()
    sampled = subject.settings_of({**drawn, "loss": "warp"}).model_dump()
    names = ("batch_size", "batch_users", "num_negative_samples", "l2")
    assert [whole[name] for name in names] == [1024, 16, 7, 2]
    assert [sampled[name] for name in names] == [256, 128, 40, 2]


def test_what_is_credited_for_alike_items_tries_no_loss_without_negatives() -> None:
    space = space_of(MatrixFactorizationSettings(loss="warp", partial_credit=0.5))
    assert isinstance(losses := space["loss"], OneOf)
    assert "full_softmax" not in losses.options
    assert "batch_users" not in space


def test_the_present_values_are_tried_wherever_they_lie() -> None:
    own = MatrixFactorizationSettings(embedding_dim=7, lr=0.7654321, dropout_p=0.9, weight_decay=9)
    for name, dimension in space_of(own).items():
        present = getattr(own, name)
        drawn = dimension.drawn(present)
        assert dimension.setting(drawn) == present
        assert dimension.distribution()._contains(dimension.distribution().to_internal_repr(drawn))


def test_what_is_drawn_has_few_digits_and_keeps_to_its_range() -> None:
    for dimension in (Between(1e-4, 0.1, log=True), OrZero(1e-7, 0.1), Whole(10, 1000)):
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        values = [
            dimension.setting(study.ask({"x": dimension.distribution()}).params["x"])
            for _ in range(200)
        ]
        assert all(value == float(f"{value:.3g}") for value in values)
        assert all(dimension.low <= value <= dimension.high for value in values if value)
        assert any(value == 0 for value in values) == isinstance(dimension, OrZero)


def test_baselines_have_a_space() -> None:
    assert list(space_of(ItemKNNSettings())) == ["neighbours", "shrinkage"]
