from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torchmetrics import (
    MeanAbsoluteError,
    MeanSquaredError,
    MetricCollection,
    PearsonCorrCoef,
    SpearmanCorrCoef,
)

from collie_core.baselines import Popularity
from collie_core.interactions import ExplicitInteractions, HDF5Interactions, Interactions
from collie_core.metrics import explicit_evaluate_in_batches, mapk
from collie_core.model import MatrixFactorizationModel
from collie_core.utils import pandas_df_to_hdf5

SCORES = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 1.5]])


class Rater(nn.Module):
    """A scorer of pairs that reads a table (U, N), through dropout."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.table = nn.Parameter(table)
        self.dropout = nn.Dropout(0.9)
        self.num_users, self.num_items = table.shape
        self.sizes: list[int] = []
        self.hparams = SimpleNamespace(num_epochs_completed=3)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        self.sizes.append(len(users))
        scores: Tensor = self.dropout(self.table)[users, items]
        return scores

    def score_all(self, users: Tensor) -> Tensor:
        return self.table[users]


@pytest.fixture
def model() -> Rater:
    return Rater(SCORES.clone())


@pytest.fixture
def ratings() -> ExplicitInteractions:
    """Return ratings that are off by 0, 1, -2 and 0.5."""
    return ExplicitInteractions(
        users=[0, 0, 1, 1], items=[0, 1, 0, 2], ratings=[1.0, 3.0, 2.0, 2.0], seed=0
    )


def quiet(metrics: Any, ratings: Any, model: Any, **options: Any) -> list[float]:
    return explicit_evaluate_in_batches(metrics, ratings, model, verbose=False, **options)


def test_errors_are_those_of_a_calculation_by_hand(
    model: Rater, ratings: ExplicitInteractions
) -> None:
    metrics = [MeanSquaredError(), MeanAbsoluteError(), MeanSquaredError(squared=False)]
    expected = [5.25 / 4, 3.5 / 4, np.sqrt(5.25 / 4)]
    assert quiet(metrics, ratings, model) == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore:Metric `SpearmanCorrcoef` will save all")
@pytest.mark.parametrize("batch_size", [1, 7, 1000])
@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float64])
def test_results_are_numpys_whatever_the_batch_size_and_the_type_of_the_ratings(
    batch_size: int, dtype: type
) -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(3, 1, (9, 8)).astype(np.float32)
    given: npt.NDArray[Any] = rng.integers(1, 6, (9, 8)).astype(dtype)
    users, items = (each.ravel() for each in np.indices(given.shape))
    test = ExplicitInteractions(users=users, items=items, ratings=given.ravel())
    metrics = [MeanSquaredError(), PearsonCorrCoef(), SpearmanCorrCoef()]
    found = quiet(metrics, test, Rater(torch.from_numpy(table)), batch_size=batch_size)
    scores, wanted = (pd.Series(each.ravel().astype(np.float64)) for each in (table, given))
    expected = [
        ((scores - wanted) ** 2).mean(),
        np.corrcoef(scores, wanted)[0, 1],
        np.corrcoef(scores.rank(), wanted.rank())[0, 1],
    ]
    assert found == pytest.approx(expected, rel=1e-5)


def test_a_metric_used_twice_starts_afresh_and_is_left_as_it_was(
    model: Rater, ratings: ExplicitInteractions
) -> None:
    metric = MeanSquaredError()
    metric.update(torch.tensor([10.0]), torch.tensor([0.0]))
    first, second = (quiet([metric, metric], ratings, model) for _ in range(2))
    assert first == second == pytest.approx([5.25 / 4] * 2)
    assert float(metric.compute()) == 100


def test_options_go_to_the_loader(model: Rater, ratings: ExplicitInteractions) -> None:
    quiet([MeanSquaredError()], ratings, model, batch_size=3)
    quiet([MeanSquaredError()], ratings, model, batch_size=3, drop_last=True)
    assert model.sizes == [3, 1, 3]
    with pytest.raises(TypeError, match="'batchsize'"):
        quiet([MeanSquaredError()], ratings, model, batchsize=3)


def test_dropout_is_off_meanwhile_and_on_again_after(
    model: Rater, ratings: ExplicitInteractions
) -> None:
    quiet([MeanSquaredError()], ratings, model)
    assert model.training
    assert model.dropout.training


def test_a_model_of_ratings_is_judged_by_its_scores_of_pairs(ratings: ExplicitInteractions) -> None:
    torch.manual_seed(0)
    model = MatrixFactorizationModel(train=ratings, embedding_dim=3, dropout_p=0.5, loss="mse")
    (found,) = quiet([MeanAbsoluteError()], ratings, model, batch_size=3)
    with torch.no_grad():
        scores = model.eval()(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 2]))
    assert found == pytest.approx(float((scores - torch.from_numpy(ratings.ratings)).abs().mean()))


def test_the_logger_receives_the_results_by_class_name_at_the_epoch(
    model: Rater, ratings: ExplicitInteractions
) -> None:
    logged: list[tuple[dict[str, float], int | None]] = []
    logger = SimpleNamespace(log_metrics=lambda named, step: logged.append((named, step)))
    metrics = [MeanSquaredError(), MeanAbsoluteError(), MeanSquaredError(squared=False)]
    mse, mae, rmse = quiet(metrics, ratings, model, logger=logger)
    names = {"MeanSquaredError": mse, "MeanAbsoluteError": mae, "MeanSquaredError_2": rmse}
    assert logged == [(names, 3)]


def test_the_results_are_printed_if_asked(
    model: Rater, ratings: ExplicitInteractions, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet([MeanSquaredError()], ratings, model)
    assert capsys.readouterr().out == ""
    explicit_evaluate_in_batches([MeanSquaredError()], ratings, model)
    assert "MeanSquaredError 1.3125" in capsys.readouterr().out


def test_a_nan_score_is_refused_with_its_user_and_item(
    model: Rater, ratings: ExplicitInteractions
) -> None:
    with torch.no_grad():
        model.table[1, 2] = torch.nan
    with pytest.raises(ValueError, match="the score of user 1 for item 2 is NaN"):
        quiet([MeanSquaredError()], ratings, model, batch_size=3)
    assert model.training


def test_a_model_that_does_not_give_one_score_a_pair_is_refused(
    model: Rater, ratings: ExplicitInteractions
) -> None:
    model.forward = lambda users, items: model.table[users]  # type: ignore[method-assign] # noqa: ARG005
    with pytest.raises(ValueError, match=r"gave \(4, 3\) for 4 pairs, must be \(4,\)"):
        quiet([MeanSquaredError()], ratings, model)


def test_ratings_of_other_users_are_refused(model: Rater) -> None:
    with pytest.raises(ValueError, match=r"test_interactions has \(1, 1\) .* the model's \(2, 3\)"):
        quiet([MeanSquaredError()], ExplicitInteractions(users=[0], items=[0]), model)


def test_a_loader_that_drops_everything_is_refused(
    model: Rater, ratings: ExplicitInteractions
) -> None:
    with pytest.raises(ValueError, match="drop_last leaves nothing of 4 ratings"):
        quiet([MeanSquaredError()], ratings, model, batch_size=5, drop_last=True)


def test_implicit_interactions_are_refused(model: Rater, tmp_path: Any) -> None:
    way_out = "must be ExplicitInteractions: make them .* evaluate_in_batches for implicit data"
    with pytest.raises(TypeError, match=f"is Interactions, {way_out}"):
        quiet([MeanSquaredError()], Interactions(mat=np.eye(2, 3), num_negative_samples=1), model)
    path = tmp_path / "test.h5"
    pandas_df_to_hdf5(pd.DataFrame({"user_id": [0, 1], "item_id": [0, 1]}), path)
    with pytest.raises(TypeError, match=f"is HDF5Interactions, {way_out}"):
        quiet([MeanSquaredError()], HDF5Interactions(path), model)


@pytest.mark.parametrize(
    ("metric", "named"),
    [
        (mapk, "metric mapk is function"),
        (MeanSquaredError, "metric MeanSquaredError is"),
        (MetricCollection([MeanSquaredError()]), "is MetricCollection"),
        ("mse", "metric 'mse' is str"),
    ],
)
def test_what_is_no_torchmetrics_metric_is_refused(
    model: Rater, ratings: ExplicitInteractions, metric: object, named: str
) -> None:
    with pytest.raises(TypeError, match=named) as refused:
        quiet([metric], ratings, model)
    assert "evaluate_in_batches takes functions" in str(refused.value)


def test_a_metric_of_several_numbers_is_refused(
    model: Rater, ratings: ExplicitInteractions
) -> None:
    class DoubledError(MeanSquaredError):
        def compute(self) -> Tensor:
            return super().compute().expand(2)

    with pytest.raises(ValueError, match=r"DoubledError gave tensor\(.*\), must be one number"):
        quiet([DoubledError()], ratings, model)


def test_a_model_that_scores_no_pairs_is_refused(ratings: ExplicitInteractions) -> None:
    with pytest.raises(TypeError, match="model is Popularity, must score pairs"):
        quiet([MeanSquaredError()], ratings, Popularity(2, torch.ones(3)))
