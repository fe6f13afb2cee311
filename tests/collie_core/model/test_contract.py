"""What every model has to hold, whichever it is."""

from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from collie_core.interactions import ExplicitInteractions, HDF5Interactions, Interactions
from collie_core.loss import ALL_ITEMS_LOSSES, EXPLICIT_LOSSES, IMPLICIT_LOSSES, LOSSES
from collie_core.model import (
    ARCHITECTURES,
    BasePipeline,
    CollieMinimalTrainer,
    CollieTrainer,
    MatrixFactorizationModel,
    MultiStagePipeline,
)
from collie_core.model.dropout import Dropout
from collie_core.utils import pandas_df_to_hdf5

BUCKETS = np.arange(10) % 3
GENRES = np.eye(3)[BUCKETS]
AGES = np.linspace(-1, 1, 12)[:, None]
USERS = torch.tensor([3, 0, 11, 3])

Make = Callable[..., BasePipeline]


def last_stage(model: MultiStagePipeline) -> MultiStagePipeline:
    model.set_stage(model.hparams["stage_list"][-1])
    return model


class Variant(NamedTuple):
    """An architecture with the arguments it needs, and what is done to the model then."""

    architecture: str
    own: dict[str, Any]
    prepare: Callable[[Any], Any] = lambda model: model


VARIANTS = {
    "matrix_factorization": Variant("matrix_factorization", {"embedding_dim": 4}),
    "mf in a range": Variant("matrix_factorization", {"embedding_dim": 4, "y_range": (0, 4)}),
    "sparse mf": Variant(
        "matrix_factorization",
        {"embedding_dim": 4, "sparse": True, "optimizer": "sparse_adam"},
    ),
    "mf by rows": Variant(
        "matrix_factorization",
        {"embedding_dim": 4, "sparse": True, "optimizer": "rowwise_adagrad"},
    ),
    "mlp_matrix_factorization": Variant(
        "mlp_matrix_factorization", {"embedding_dim": 8, "num_layers": 2}
    ),
    "one layer of mlp": Variant(
        "mlp_matrix_factorization", {"embedding_dim": 8, "num_layers": 1, "y_range": (0, 2)}
    ),
    "nonlinear_matrix_factorization": Variant(
        "nonlinear_matrix_factorization",
        {
            "user_embedding_dim": 5,
            "item_embedding_dim": 4,
            "user_dense_layers_dims": [4, 3],
            "item_dense_layers_dims": [3],
        },
    ),
    "collaborative_metric_learning": Variant("collaborative_metric_learning", {"embedding_dim": 4}),
    "cml in a range": Variant(
        "collaborative_metric_learning", {"embedding_dim": 4, "y_range": (1, 5)}
    ),
    "neural_collaborative_filtering": Variant(
        "neural_collaborative_filtering", {"embedding_dim": 4}
    ),
    "one layer of neucf, sigmoid": Variant(
        "neural_collaborative_filtering",
        {"embedding_dim": 4, "num_layers": 1, "final_layer": "sigmoid"},
    ),
    "deep_fm": Variant("deep_fm", {"embedding_dim": 4}),
    "deep_fm, leaky_relu": Variant("deep_fm", {"embedding_dim": 4, "final_layer": "leaky_relu"}),
    "hybrid_pretrained": Variant(
        "hybrid_pretrained", {"item_metadata": GENRES, "combined_layers_dims": [6]}
    ),
    "hybrid_pretrained of users": Variant(
        "hybrid_pretrained",
        {
            "user_metadata": AGES,
            "user_metadata_layers_dims": [3],
            "combined_layers_dims": [],
            "freeze_embeddings": False,
        },
    ),
    "cold_start": Variant("cold_start", {"embedding_dim": 4, "item_buckets": BUCKETS}),
    "cold_start, last stage": Variant(
        "cold_start", {"embedding_dim": 4, "item_buckets": BUCKETS}, last_stage
    ),
    "hybrid": Variant("hybrid", {"embedding_dim": 4, "item_metadata": GENRES}),
    "hybrid, last stage": Variant(
        "hybrid",
        {
            "embedding_dim": 4,
            "item_metadata": GENRES,
            "metadata_layers_dims": [3],
            "user_metadata": AGES,
            "combined_layers_dims": [6, 5],
        },
        last_stage,
    ),
}


@pytest.fixture(params=list(VARIANTS))
def make(request: pytest.FixtureRequest, tiny: Interactions) -> Make:
    variant = VARIANTS[request.param]

    def build(**options: Any) -> BasePipeline:
        torch.manual_seed(0)
        own = dict(variant.own)
        if variant.architecture == "hybrid_pretrained":
            own["trained_model"] = MatrixFactorizationModel(train=tiny, embedding_dim=4)
        arguments = {"train": tiny, **own, **options}
        return variant.prepare(ARCHITECTURES[variant.architecture](**arguments))

    return build


def fast(make: Make) -> dict[str, Any]:
    """Return learning rates, whatever they are called, with which a tiny model learns."""
    known = signature(type(make())).parameters
    names = [name for name in known if name.endswith("stage_lr")]
    return dict.fromkeys(["lr"] if not names else [*names, *({"lr"} & known.keys())], 0.1)


def test_every_architecture_is_under_test() -> None:
    assert {variant.architecture for variant in VARIANTS.values()} == ARCHITECTURES.keys()


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


@pytest.mark.parametrize("loss", sorted(IMPLICIT_LOSSES))
def test_stepping_lowers_each_loss(make: Make, loss: str, tiny: Interactions) -> None:
    negatives = 1 if loss in ("bpr", "hinge") else 3
    data = Interactions(mat=tiny.mat, num_negative_samples=negatives, seed=0)
    first, last = losses_of(make(train=data, loss=loss, **fast(make)))
    # most of the softmax over all items is the entropy of what users have, which nothing lowers
    assert last < (0.995 if loss in ALL_ITEMS_LOSSES else 0.97) * first


@pytest.mark.parametrize("loss", sorted(EXPLICIT_LOSSES))
def test_stepping_on_ratings_lowers_each_loss(make: Make, loss: str, tiny: Interactions) -> None:
    ratings = ExplicitInteractions(
        users=tiny.users,
        items=tiny.items,
        ratings=0.1 + 0.4 * (tiny.items % 3),
        num_items=10,
        allow_missing_ids=True,
        seed=0,
    )
    first, last = losses_of(make(train=ratings, val=ratings, loss=loss, **fast(make)))
    assert last < 0.97 * first


@pytest.mark.parametrize("loss", ["adaptive_bpr", "adaptive_hinge", "warp"])
def test_two_scores_a_pair_give_loss_and_gradient_of_all(
    make: Make, loss: str, tiny: Interactions
) -> None:
    model = make(train=tiny, loss=loss, **fast(make)).train()
    for layer in model.modules():
        if isinstance(layer, Dropout):
            layer.dropped = 2**15
    (users, positives), negatives = batch = next(iter(model.train_dataloader()))
    learned = [each for each in model.parameters() if each.requires_grad]
    torch.manual_seed(1)
    value = model.calculate_loss(batch)
    torch.manual_seed(1)
    scores = model.score_candidates(users, torch.cat([positives[:, None], negatives], dim=1))
    of_all = LOSSES[loss](scores[:, 0], scores[:, 1:].T, num_items=10)
    torch.testing.assert_close(value, of_all)
    slopes, expected = (
        torch.autograd.grad(each, learned, allow_unused=True) for each in (value, of_all)
    )
    for slope, right in zip(slopes, expected, strict=True):
        assert (slope is None) == (right is None)
        if slope is not None and right is not None:
            torch.testing.assert_close(slope.to_dense(), right.to_dense())


def losses_of(model: BasePipeline) -> tuple[float, float]:
    """Return the loss of one batch before and after many steps on it."""
    batch = next(iter(model.train_dataloader()))
    optimizer = model._make_optimizer()
    losses = []
    for _ in range(80):
        optimizer.zero_grad()
        loss = model.calculate_loss(batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses[0], losses[-1]


def test_gradients_reach_every_parameter_of_the_stage(make: Make) -> None:
    model = make()
    (users, items), negatives = next(iter(model.train_dataloader()))
    model.calculate_loss(((users, items), negatives)).backward()
    optimizer = model._make_optimizer()
    stepped = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
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
    known = signature(type(make())).parameters
    probabilities = dict.fromkeys([name for name in known if name.endswith("dropout_p")], 0.5)
    if not probabilities:
        pytest.skip("metric learning has no dropout")
    model = make(**probabilities, **({"final_layer": None} if "final_layer" in known else {}))
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
    with pytest.raises(TypeError, match=r"knows no \['embeding_dim'\].*embedding.*'loss'"):
        make(embeding_dim=4)


def test_neither_data_nor_a_bundle_is_refused(model: BasePipeline) -> None:
    with pytest.raises((TypeError, ValueError), match=r"None|neither train"):
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
        ({"loss": "mse"}, "loss 'mse' is for explicit data, but these are implicit"),
        ({"metadata_for_loss": {"genre": torch.arange(9)}}, "has \\['genre'\\], its weights"),
        (
            {
                "metadata_for_loss": {"genre": torch.arange(9)},
                "metadata_for_loss_weights": {"genre": 0.3},
            },
            "metadata 'genre' has 9 codes for 10 items",
        ),
        (
            {
                "metadata_for_loss": {"genre": torch.arange(10)},
                "metadata_for_loss_weights": {"genre": 1.3},
            },
            "sum to 1.3, must be at most 1",
        ),
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


def test_a_user_is_most_like_themself(model: BasePipeline) -> None:
    trained(model)
    similarities = model.user_user_similarity(user_id=11)
    assert similarities[11] == pytest.approx(1.0)
    assert similarities.iloc[0] == pytest.approx(1.0)
    assert len(similarities) == 12


def test_predictions_for_users_are_a_column_of_all_scores(
    model: BasePipeline, tiny: Interactions
) -> None:
    trained(model)
    every = model.score_all(torch.arange(12)).detach().numpy()
    predictions = model.get_user_predictions(item_id=4, sort_values=False)
    np.testing.assert_allclose(predictions, every[:, 4], rtol=1e-5, atol=1e-6)
    unseen = model.get_user_predictions(item_id=4, unseen_users_only=True)
    assert set(unseen.index) == set(range(12)) - set(tiny.mat.row[tiny.mat.col == 4])
    assert unseen.is_monotonic_decreasing


@pytest.mark.parametrize("number", [-1, 12, 99])
def test_strangers_are_refused(model: BasePipeline, number: int) -> None:
    for ask in (model.get_item_predictions, model.user_user_similarity):
        with pytest.raises(ValueError, match=rf"user_id is {number}, must be in 0\.\.11"):
            ask(number)
    for ask in (model.get_user_predictions, model.item_item_similarity):
        with pytest.raises(ValueError, match=rf"item_id is {number}, must be in 0\.\.9"):
            ask(number)


def test_answers_leave_the_mode_and_no_gradients(model: BasePipeline) -> None:
    model.train()
    model.get_item_predictions()
    model.item_item_similarity(0)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())


def test_partial_credit_lowers_the_loss_of_a_pair_alike(make: Make, tiny: Interactions) -> None:
    credit = {"genre": torch.zeros(10, 1, dtype=torch.int64)}
    batch = next(iter(make().train_dataloader()))
    plain = make().eval().calculate_loss(batch)
    options = {"metadata_for_loss": credit, "metadata_for_loss_weights": {"genre": 0.5}}
    credited = make(train=tiny, **options).eval().calculate_loss(batch)
    assert credited < plain


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        ((USERS, USERS % 10, USERS.double()), "loss 'hinge' is not for explicit data"),
        ((USERS,), "has 1 parts, must be"),
        ((USERS[:3], USERS), "has 2 parts, must be"),
    ],
)
def test_a_batch_of_another_form_is_refused(model: BasePipeline, batch: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        model.calculate_loss(batch)


def test_validation_of_another_kind_is_refused(make: Make, tiny: Interactions) -> None:
    one = Interactions(mat=tiny.mat, num_negative_samples=1)
    with pytest.raises(ValueError, match="train has many negatives, val one negative"):
        make(val=one)
    with pytest.raises(ValueError, match="train has many negatives, val ratings"):
        make(val=ExplicitInteractions(mat=tiny.mat))


def test_a_loaded_model_goes_on_with_new_data(model: BasePipeline, tmp_path: Path) -> None:
    model.save_model(tmp_path / "model.pth")
    loaded = type(model)(load_model_path=tmp_path / "model.pth")
    with pytest.raises(ValueError, match="train_loader is None: a loaded model has no data"):
        loaded.calculate_loss(((USERS, USERS % 10), USERS[:, None] % 10))
    with pytest.raises(ValueError, match="train_loader is None"):
        loaded.get_item_predictions(unseen_items_only=True)
    loaded.train_loader = model.train_loader
    assert len(loaded.get_item_predictions(3, unseen_items_only=True)) < 10
    assert loaded.loss_function is model.loss_function
