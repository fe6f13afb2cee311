"""What every model has to hold, whichever it is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from collie_core.interactions import HDF5Interactions, Interactions
from collie_core.loss import LOSSES
from collie_core.model import ARCHITECTURES, BasePipeline, CollieMinimalTrainer, CollieTrainer
from collie_core.utils import pandas_df_to_hdf5

BUCKETS = np.arange(10) % 3
OWN = {"cold_start": {"item_buckets": BUCKETS}}
USERS = torch.tensor([3, 0, 11, 3])

Make = Callable[..., BasePipeline]


@pytest.fixture(params=sorted(ARCHITECTURES))
def make(request: pytest.FixtureRequest, tiny: Interactions) -> Make:
    def build(**options: object) -> BasePipeline:
        torch.manual_seed(0)
        own = OWN.get(request.param, {})
        arguments = {"train": tiny, "embedding_dim": 4, **own, **options}
        return ARCHITECTURES[request.param](**arguments)

    return build


@pytest.fixture
def model(make: Make) -> BasePipeline:
    return make().eval()


def trained(model: BasePipeline, epochs: int = 2) -> BasePipeline:
    CollieMinimalTrainer(model, max_epochs=epochs, verbosity=0, gpus=0).fit(model)
    return model.eval()


def test_scores_are_one_a_pair(model: BasePipeline) -> None:
    for pairs in (0, 1, 4):
        assert model(USERS[:pairs], USERS[:pairs] % 10).shape == (pairs,)


def test_ranking_agrees_with_pair_scores(model: BasePipeline) -> None:
    trained(model)
    every = model.score_all(USERS)
    assert every.shape == (4, 10)
    for item, scores in enumerate(every.T):
        torch.testing.assert_close(scores, model(USERS, torch.full_like(USERS, item)))


def test_candidates_agree_with_the_template_that_scores_pair_by_pair(model: BasePipeline) -> None:
    items = torch.randint(10, (4, 5), generator=torch.Generator().manual_seed(1))
    expected = BasePipeline.score_candidates(model, USERS, items)
    torch.testing.assert_close(model.score_candidates(USERS, items), expected)
    torch.testing.assert_close(BasePipeline.score_all(model, USERS), model.score_all(USERS))


def test_ranking_nobody_is_empty(model: BasePipeline) -> None:
    assert model.score_all(USERS[:0]).shape == (0, 10)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_training_lowers_each_loss(make: Make, loss: str, tiny: Interactions) -> None:
    single = loss in ("bpr", "hinge")
    negatives = 1 if single else 3
    data = Interactions(
        mat=tiny.mat,
        num_negative_samples=negatives,
        seed=0,
        check_num_negative_samples_is_valid=True,
    )
    rates = {"lr": 0.05} if "lr" in make().hparams else {"item_buckets_stage_lr": 0.05}
    model = make(train=data, loss=loss, **rates)
    losses: list[float] = []
    CollieMinimalTrainer(
        model,
        max_epochs=40,
        verbosity=0,
        gpus=0,
        early_stopping_patience=None,
        after_epoch=lambda _, train_loss, __: losses.append(train_loss) is not None,
    ).fit(model)
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])


def test_gradients_reach_every_parameter_of_the_stage(make: Make) -> None:
    model = make()
    (users, items), negatives = next(iter(model.train_dataloader()))
    model.calculate_loss(((users, items), negatives)).backward()
    optimizer = model._make_optimizer()
    stepped = [p for group in optimizer.param_groups for p in group["params"]]
    assert stepped
    assert all(parameter.grad is not None for parameter in stepped)


@pytest.mark.parametrize("name", ["model.pth", "bundle"])
def test_a_saved_model_scores_as_before(model: BasePipeline, name: str, tmp_path: Path) -> None:
    trained(model)
    model.save_model(tmp_path / name)
    loaded = type(model)(load_model_path=tmp_path / name)
    torch.testing.assert_close(loaded.score_all(USERS), model.score_all(USERS), rtol=0, atol=0)
    assert loaded.hparams["num_epochs_completed"] == 2
    assert not loaded.training


def test_the_same_model_is_saved_as_the_same_bytes(model: BasePipeline, tmp_path: Path) -> None:
    for name in ("one.pth", "two.pth"):
        model.save_model(tmp_path / name)
    assert (tmp_path / "one.pth").read_bytes() == (tmp_path / "two.pth").read_bytes()


@pytest.mark.parametrize("trainer", [CollieTrainer, CollieMinimalTrainer])
def test_the_same_seed_trains_the_same_model(make: Make, trainer: type, tiny: Interactions) -> None:
    scores = []
    quiet = (
        {"verbosity": 0, "gpus": 0}
        if trainer is CollieMinimalTrainer
        else {
            "logger": False,
            "enable_progress_bar": False,
            "enable_checkpointing": False,
            "enable_model_summary": False,
            "gpus": 0,
        }
    )
    for _ in range(2):
        model = make(train=Interactions(mat=tiny.mat, num_negative_samples=3, seed=5))
        trainer(model, max_epochs=2, **quiet).fit(model)
        scores.append(model.eval().score_all(USERS))
    torch.testing.assert_close(scores[0], scores[1], rtol=0, atol=0)


def test_dropout_is_off_in_evaluation_only(make: Make) -> None:
    model = make(dropout_p=0.5)
    every = torch.arange(10)
    users = torch.zeros_like(every)
    model.train()
    assert not torch.equal(model(users, every), model(users, every))
    model.eval()
    assert torch.equal(model(users, every), model(users, every))


def test_a_model_trains_from_hdf5(make: Make, tiny: Interactions, tmp_path: Path) -> None:
    import pandas as pd

    table = pd.DataFrame({"user_id": tiny.mat.row, "item_id": tiny.mat.col})
    pandas_df_to_hdf5(table, tmp_path / "train.h5")
    data = HDF5Interactions(tmp_path / "train.h5", num_negative_samples=3, num_items=10, seed=0)
    model = make(train=data)
    before = model.score_all(USERS).detach().clone()
    assert not torch.equal(trained(model).score_all(USERS), before)


def test_an_unknown_keyword_is_refused_with_the_known_ones(make: Make) -> None:
    with pytest.raises(TypeError, match=r"knows no \['embeding_dim'\].*'embedding_dim'.*'loss'"):
        make(embeding_dim=4)


def test_neither_data_nor_a_bundle_is_refused(model: BasePipeline) -> None:
    with pytest.raises((TypeError, ValueError), match=r"is None|neither train"):
        type(model)()


def test_validation_of_another_shape_is_refused(make: Make) -> None:
    other = Interactions(mat=np.eye(12, 11), num_negative_samples=3)
    with pytest.raises(ValueError, match=r"train has \(12, 10\).*val \(12, 11\)"):
        make(val=other)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"loss": "warped"}, "unknown loss 'warped'.*'warp'"),
        ({"weight_decay": -1.0}, "weight_decay is -1.0, must be >= 0"),
        ({"dropout_p": 1.0}, "dropout_p is 1.0, must be in"),
    ],
)
def test_a_wrong_option_is_refused(make: Make, options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make(**options)


def test_recommendations_can_leave_out_what_was_seen(
    model: BasePipeline, tiny: Interactions
) -> None:
    every = model.get_item_predictions(user_id=3)
    unseen = model.get_item_predictions(user_id=3, unseen_items_only=True)
    seen = set(tiny.mat.col[tiny.mat.row == 3])
    assert set(every.index) == set(range(10))
    assert set(unseen.index) == set(range(10)) - seen
    assert every.is_monotonic_decreasing
    assert model.get_item_predictions(3, sort_values=False).index.tolist() == list(range(10))


def test_an_item_is_most_like_itself(model: BasePipeline) -> None:
    trained(model)
    similarities = model.item_item_similarity(item_id=7)
    assert similarities[7] == pytest.approx(1.0)
    assert similarities.iloc[0] == pytest.approx(1.0)
    assert len(similarities) == 10
