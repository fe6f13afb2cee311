"""The kit passes every model there is, and tells of each broken one what is wrong with it."""

import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from collie_core.model import (
    ARCHITECTURES,
    BasePipeline,
    MatrixFactorizationModel,
    MultiStagePipeline,
    ScaledEmbedding,
)
from collie_core.testing import (
    CHECKS,
    NUM_ITEMS,
    NUM_USERS,
    NonconformanceError,
    check_model,
    small_interactions,
    small_ratings,
)
from collie_core.utils import get_init_arguments

BUCKETS = np.arange(NUM_ITEMS) % 3
GENRES = np.eye(3)[BUCKETS]
AGES = np.linspace(-1, 1, NUM_USERS)[:, None]
SMALL: dict[str, dict[str, Any]] = {
    "cold_start": {"embedding_dim": 4, "item_buckets": BUCKETS},
    "collaborative_metric_learning": {"embedding_dim": 4},
    "deep_fm": {"embedding_dim": 4},
    "hybrid": {"embedding_dim": 4, "item_metadata": GENRES, "user_metadata": AGES},
    "hybrid_pretrained": {"item_metadata": GENRES, "combined_layers_dims": [6]},
    "matrix_factorization": {"embedding_dim": 4},
    "mlp_matrix_factorization": {"embedding_dim": 8},
    "neural_collaborative_filtering": {"embedding_dim": 4},
    "nonlinear_matrix_factorization": {},
}


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_every_architecture_conforms(name: str) -> None:
    arguments = dict(SMALL[name])
    if name == "hybrid_pretrained":
        arguments["trained_model"] = MatrixFactorizationModel(small_interactions(), embedding_dim=4)
    check_model(ARCHITECTURES[name], **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"loss": "mae"},
        {"loss": "warp", "dropout_p": 0.5},
        {"sparse": True, "optimizer": "sparse_adam"},
        {"bias_optimizer": None, "y_range": (1, 5)},
        {"optimizer": torch.optim.AdamW},
    ],
    ids=str,
)
def test_options_of_training_conform(arguments: dict[str, Any]) -> None:
    check_model(MatrixFactorizationModel, embedding_dim=4, **arguments)


def test_a_function_among_the_arguments_conforms() -> None:
    check_model(ARCHITECTURES["deep_fm"], embedding_dim=4, final_layer=torch.tanh)


class SimpleModel(BasePipeline):
    """The reference's, line by line."""

    def __init__(self, train: Any, val: Any, embedding_dim: int) -> None:  # noqa: ARG002
        super().__init__(**get_init_arguments())

    def _setup_model(self, **_: Any) -> None:
        self.user_embeddings = ScaledEmbedding(
            num_embeddings=self.hparams.num_users, embedding_dim=self.hparams.embedding_dim
        )
        self.item_embeddings = ScaledEmbedding(
            num_embeddings=self.hparams.num_items, embedding_dim=self.hparams.embedding_dim
        )

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return torch.mul(self.user_embeddings(users), self.item_embeddings(items)).sum(axis=1)


def test_the_simple_model_of_the_reference_conforms() -> None:
    check_model(SimpleModel, embedding_dim=10)


class Sound(BasePipeline):
    """A model that conforms, for the others to break."""

    def _setup_model(self, **_: Any) -> None:
        self.users = ScaledEmbedding(self.num_users, 3)
        self.items = ScaledEmbedding(self.num_items, 3)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return (self.users(users) * self.items(items)).sum(dim=-1)


class Squeezed(Sound):
    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return super().forward(users, items).squeeze()


class Column(Sound):
    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return super().forward(users, items)[:, None]


class WholeNumbers(Sound):
    def calculate_loss(self, batch: Any) -> Tensor:
        self.is_whole = False
        try:
            return super().calculate_loss(batch)
        finally:
            self.is_whole = True

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        scores = super().forward(users, items)
        return (scores * 100).long() if getattr(self, "is_whole", True) else scores


class FailsOnNobody(Sound):
    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return super().forward(users, items) + 0 * users.max()


class DividesByZero(Sound):
    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return super().forward(users, items) / items.sign() * (items != 3).float().log()


class AlwaysDrops(Sound):
    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return nn.functional.dropout(super().forward(users, items), 0.5)


class SeedsAll(Sound):
    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        random.seed(0)
        return super().forward(users, items)


class LeavesTraining(Sound):
    def score_all(self, users: Tensor) -> Tensor:
        return super().score_all(users) if self.eval() else users


class RanksBackwards(Sound):
    def score_all(self, users: Tensor) -> Tensor:
        return -super().score_all(users)


class RanksTooFew(Sound):
    def score_all(self, users: Tensor) -> Tensor:
        return super().score_all(users)[:, 1:]


class MixesCandidates(Sound):
    def score_candidates(self, users: Tensor, items: Tensor) -> Tensor:
        return super().score_candidates(users, items).sort(dim=1).values

    def score_all(self, users: Tensor) -> Tensor:
        return self.users(users) @ self.items.weight.T


class VectorsOfUsers(Sound):
    def _get_item_embeddings(self) -> Tensor:
        return self.users.weight


class InfiniteVectors(Sound):
    def _get_user_embeddings(self) -> Tensor:
        return self.users.weight / 0


class PlainTensor(Sound):
    def _setup_model(self, **_: Any) -> None:
        super()._setup_model()
        self.scales = {"user": [torch.tensor(2.0)]}

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return self.scales["user"][0] * super().forward(users, items)


class PlainList(Sound):
    def _setup_model(self, **_: Any) -> None:
        super()._setup_model()
        self.towers = [nn.Linear(3, 3)]
        nn.init.eye_(self.towers[0].weight)
        nn.init.zeros_(self.towers[0].bias)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return (self.users(users) * self.towers[0](self.items(items))).sum(dim=-1)


class OnTheCpu(Sound):
    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return super().forward(users, items) * torch.ones(len(users))


class AnswersOnTheCpu(Sound):
    def score_all(self, users: Tensor) -> Tensor:
        scores = super().score_all(users)
        return torch.zeros(scores.shape) if scores.is_meta else scores


class Forgetful(Sound):
    def __init__(self, train: Any = None, scale: float = 1.0, **options: Any) -> None:
        super().__init__(train, **options)
        self.scale = scale

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return self.scale * super().forward(users, items)


class KeepsATable(Sound):
    def __init__(self, train: Any = None, table: Any = None, **options: Any) -> None:
        super().__init__(train, table=table, **options)

    def _setup_model(self, **kwargs: Any) -> None:
        super()._setup_model()
        self.register_buffer("table", torch.tensor(kwargs["table"]))


class LoadedForTraining(Sound):
    def eval(self) -> "LoadedForTraining":
        return self if self.train_loader is None else super().eval()


class HasASpare(Sound):
    def _setup_model(self, **_: Any) -> None:
        super()._setup_model()
        self.spare = ScaledEmbedding(self.num_items, 3)


class ClimbsUp(Sound):
    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        scores = super().forward(users, items)
        return 2 * scores.detach() - scores


class InfiniteLoss(Sound):
    def calculate_loss(self, batch: Any) -> Tensor:
        return super().calculate_loss(batch) / 0


class NoRatings(Sound):
    def calculate_loss(self, batch: Any) -> Tensor:
        (users, _), negatives = batch
        return super().calculate_loss(((users, batch[0][1]), negatives))


class NumpyWeights(Sound):
    def _setup_model(self, **_: Any) -> None:
        super()._setup_model()
        drawn = np.random.default_rng().normal(size=(self.num_users, 3))
        self.users.weight.data.copy_(torch.from_numpy(drawn))


class NumpyDropout(Sound):
    def _setup_model(self, **_: Any) -> None:
        super()._setup_model()
        self.rng = np.random.default_rng()

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        kept = self.rng.random() if self.training else 1.0
        return (0.5 + kept) * super().forward(users, items)


class Staged(MultiStagePipeline):
    """A model of two stages that conforms."""

    def __init__(self, train: Any = None, val: Any = None, **options: Any) -> None:
        stages = [
            {"stage": name, "lr": 0.1, "optimizer": "sgd", "parameter_prefix_list": [name]}
            for name in ("first", "second")
        ]
        super().__init__(train, val, optimizer_config_list=stages, **options)

    def _setup_model(self, **_: Any) -> None:
        self.first = ScaledEmbedding(self.num_items, 1)
        self.second = ScaledEmbedding(self.num_items, 1)

    def forward(self, _: Tensor, items: Tensor) -> Tensor:
        return (self.first(items) + self.second(items)).squeeze(-1)


class StepsAll(Staged):
    def _make_optimizer(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class SecondStageAlone(Staged):
    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        scores = super().forward(users, items)
        return scores if self.hparams["stage"] == "first" else scores.squeeze()


BROKEN: list[tuple[type[BasePipeline], str, str]] = [
    (Squeezed, "shapes", r"gave \(\) for 1 pairs, must be \(1,\): .* not with squeeze"),
    (Column, "shapes", r"gave \(4, 1\) for 4 pairs, must be \(4,\)"),
    (WholeNumbers, "shapes", "forward gave torch.int64, must be floating point: return scores.fl"),
    (FailsOnNobody, "shapes", r"RuntimeError in forward \(test_conformance_kit.py:\d+\): max"),
    (SecondStageAlone, "shapes", r"shapes: in stage 'second', forward gave \(\) for 1 pairs"),
    (DividesByZero, "finite", "score of user 0 for item 0 is nan, must be finite"),
    (AlwaysDrops, "evaluation", r"two calls of forward in eval mode differ by \d.*, must be equal"),
    (SeedsAll, "evaluation", "forward changed the global random state, must leave it"),
    (LeavesTraining, "modes", r"left \['LeavesTraining', .*\] with training=False, was True"),
    (RanksBackwards, "ranking", r"score_all gave .* for user \d+ and item \d, forward .*: they m"),
    (RanksTooFew, "ranking", r"score_all gave \(12, 9\), must be \(12, 10\)"),
    (MixesCandidates, "candidates", r"score_candidates gave .* for user \d+ and item \d, forward"),
    (VectorsOfUsers, "vectors", r"_get_item_embeddings gave \(12, 3\), must be \(10, D\)"),
    (InfiniteVectors, "vectors", "_get_user_embeddings gave NaN or infinity, must be finite"),
    (PlainTensor, "tensors", r"scales\['user'\]\[0\] is a tensor .* use register_buffer"),
    (PlainList, "layers", r"towers\[0\] is a Linear that is not registered.* nn.ModuleList"),
    (OnTheCpu, "devices", r"scoring on another device failed \(.*\): .* device=self.device"),
    (AnswersOnTheCpu, "devices", r"a model on (meta|cuda) are on \['cpu', .*must be where it is"),
    (Forgetful, "bundle", "model.pth is loaded with other scores, must have the same: keep"),
    (KeepsATable, "bundle", r"KeyError in _setup_model \(.*\): 'table'"),
    (LoadedForTraining, "bundle", "model.pth is loaded in training mode, must be in eval"),
    (HasASpare, "gradients", r"no gradient for \['spare.weight'\], which the optimizer steps"),
    (
        ClimbsUp,
        "learning",
        r"the loss of a batch was \d.*, and after 150 steps on it \d.*, must fall",
    ),
    (InfiniteLoss, "learning", "calculate_loss gave inf, must be one finite number: reduce it"),
    (NoRatings, "ratings", "ValueError in calculate_loss .*: too many values to unpack"),
    (NumpyWeights, "seeds", r"making the model twice .* gave other \['users.weight'\], must give"),
    (NumpyDropout, "seeds", r"training the model twice .* other \['users.weight', 'items.weight'"),
    (StepsAll, "stages", r"in stage 'second', training moved \['first.weight'\], must leave what"),
]
NEEDED: dict[type[BasePipeline], dict[str, Any]] = {
    Column: {"loss": "hinge"},  # else torch warns of the shapes in a loss of ratings
    Forgetful: {"scale": 2.0},
    KeepsATable: {"table": np.eye(3)},
}


def broken(model_class: type[BasePipeline], **arguments: Any) -> NonconformanceError:
    with pytest.raises(NonconformanceError) as caught:
        check_model(model_class, **arguments)
    return caught.value


@pytest.mark.parametrize("model_class", [Sound, Staged])
def test_the_models_that_the_others_break_conform(model_class: type[BasePipeline]) -> None:
    check_model(model_class)


@pytest.mark.parametrize(
    ("model_class", "check", "said"), BROKEN, ids=[each[0].__name__ for each in BROKEN]
)
def test_a_broken_model_fails_its_check_alone(
    model_class: type[BasePipeline], check: str, said: str
) -> None:
    error = broken(model_class, **NEEDED.get(model_class, {}))
    assert re.search(said, str(error))
    assert error.violations.keys() == {check}


def test_every_check_has_a_model_that_fails_it() -> None:
    assert {check for _, check, _ in BROKEN} == CHECKS.keys()


class Worst(PlainTensor, RanksBackwards, HasASpare):
    def _get_item_embeddings(self) -> Tensor:
        raise RuntimeError("out of order")


def test_everything_that_is_wrong_is_said_at_once() -> None:
    error = broken(Worst)
    assert error.violations.keys() == {"ranking", "vectors", "tensors", "gradients"}
    first, *lines = str(error).splitlines()
    assert first == "Worst is no model yet:"
    assert [line.split(":")[0] for line in lines] == [f"- {name}" for name in error.violations]


class Raises(Sound):
    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        raise RuntimeError(f"no scores for {users.dtype} and {items.dtype}")


def test_one_cause_is_said_once() -> None:
    error = broken(Raises)
    assert str(error).count("no scores for torch.int64") == 1
    assert next(iter(error.violations)) == "shapes"


class Optimizers(Sound):
    def configure_optimizers(self) -> Any:
        return [torch.optim.SGD(self.parameters(), lr=0.1)], []


def test_a_tuple_of_optimizers_is_refused_with_the_way_out() -> None:
    assert "configure_optimizers gave tuple, must be an optimizer" in str(broken(Optimizers))


def drawn_after(act: Callable[[], None]) -> tuple[float, float, float]:
    """Return the next random numbers of the global generators, seeded before `act`."""
    torch.manual_seed(7)
    np.random.seed(7)  # noqa: NPY002 - it is the global one that has to be left alone
    random.seed(7)
    act()
    return torch.rand(()).item(), np.random.random(), random.random()  # noqa: NPY002, S311


def test_random_states_are_left_as_found() -> None:
    assert drawn_after(lambda: check_model(Sound)) == drawn_after(lambda: None)


@pytest.mark.parametrize(
    ("model_class", "arguments", "said"),
    [
        (
            SimpleModel,
            {},
            r"SimpleModel needs \['embedding_dim'\].*check_model\(SimpleModel, embedd",
        ),
        (Sound, {"train": None, "val": None}, r"\['train', 'val'\] are given, but check_model has"),
        (nn.Linear, {}, "Linear'> is no model class: derive one from BasePipeline"),
        (Sound(train=small_interactions()), {}, "is no model class"),
        (MatrixFactorizationModel, {"embeding_dim": 4}, r"knows no \['embeding_dim'\]"),
    ],
)
def test_a_wrong_call_is_refused(model_class: Any, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        check_model(model_class, **arguments)


def test_the_data_are_the_documented_pairs() -> None:
    implicit, explicit = small_interactions(), small_ratings()
    assert (implicit.num_users, implicit.num_items, len(implicit)) == (12, 10, 40)
    assert np.array_equal(implicit.mat.row % 3, implicit.mat.col % 3)
    assert set(explicit.ratings.tolist()) == {1.0, 2.0, 3.0, 4.0, 5.0}
