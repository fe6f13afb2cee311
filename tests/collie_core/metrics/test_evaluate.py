from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import coo_matrix, csr_matrix
from torch import Tensor, nn
from torchmetrics import MeanSquaredError

from collie_core.interactions import ExplicitInteractions, HDF5Interactions, Interactions
from collie_core.metrics import (
    METRICS,
    auc,
    evaluate_in_batches,
    evaluate_per_user,
    hit_rate,
    mapk,
    mrr,
    ndcg,
    precision,
    recall,
)
from collie_core.utils import pandas_df_to_hdf5

USERS, ITEMS = 23, 17
OURS = [auc, hit_rate, mapk, mrr, ndcg, precision, recall]


class Dropping(nn.Module):
    """A scorer whose scores are noise in training, and a table otherwise."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.table = nn.Parameter(table)
        self.dropout = nn.Dropout(0.9)
        self.frozen = nn.Dropout(0.9).eval()
        self.num_users, self.num_items = table.shape
        self.asked: list[int] = []
        self.hparams = SimpleNamespace(num_epochs_completed=3)

    def score_all(self, users: Tensor) -> Tensor:
        self.asked.append(len(users))
        scores: Tensor = self.frozen(self.dropout(self.table[users]))
        return scores


def interactions(mat: object) -> Interactions:
    return Interactions(mat=mat, check_num_negative_samples_is_valid=False, seed=0)


@pytest.fixture
def model() -> Dropping:
    generator = torch.Generator().manual_seed(0)
    return Dropping(torch.randn(USERS, ITEMS, generator=generator))


@pytest.fixture
def both() -> tuple[Interactions, Interactions]:
    """Return disjoint test and training data; users 0 and 1 have nothing to find."""
    drawn = np.random.default_rng(0).random((USERS, ITEMS))
    drawn[:2] = 0.9
    drawn[2, 3] = drawn[-1, 0] = drawn[0, ITEMS - 1] = 0.05
    drawn[0, :] = np.where(np.arange(ITEMS) == ITEMS - 1, 0.3, 0.9)
    return interactions(coo_matrix(drawn < 0.15)), interactions(
        coo_matrix((drawn >= 0.15) & (drawn < 0.4))
    )


def test_means_are_those_of_the_users_alone(
    model: Dropping, both: tuple[Interactions, Interactions]
) -> None:
    test, train = both
    table = evaluate_per_user(model, test, exclude=train, k=5)
    means = evaluate_in_batches(OURS, test, model, k=5, verbose=False, exclude=train)
    assert means == pytest.approx(table[list(METRICS)].mean().tolist())


@pytest.mark.parametrize("batch_size", [1, 2, 7, 1000])
def test_the_batch_size_changes_nothing(
    model: Dropping, both: tuple[Interactions, Interactions], batch_size: int
) -> None:
    test, train = both
    pd.testing.assert_frame_equal(
        evaluate_per_user(model, test, exclude=train, batch_size=batch_size),
        evaluate_per_user(model, test, exclude=train),
    )


def test_a_row_is_given_to_each_user_with_something_to_find(
    model: Dropping, both: tuple[Interactions, Interactions]
) -> None:
    test = both[0]
    table = evaluate_per_user(model, test)
    assert table["user"].tolist() == np.unique(test.users).tolist()
    assert [str(table[name].dtype) for name in METRICS] == ["float64"] * len(METRICS)


def test_excluding_what_is_to_be_found_leaves_nobody(
    model: Dropping, both: tuple[Interactions, Interactions]
) -> None:
    test = both[0]
    table = evaluate_per_user(model, test, exclude=test)
    assert table.empty
    assert table.columns.tolist() == ["user", *METRICS]
    assert np.isnan(evaluate_in_batches(OURS, test, model, verbose=False, exclude=test)).all()


def test_an_excluded_item_that_scores_best_no_longer_stands_in_the_way() -> None:
    model = Dropping(torch.tensor([[3.0, 2.0, 1.0]])).eval()
    test, train = interactions(csr_matrix([[0, 1, 0]])), csr_matrix([[1, 0, 0]])
    assert evaluate_in_batches([mrr], test, model, verbose=False) == [0.5]
    assert evaluate_in_batches([mrr], test, model, verbose=False, exclude=train) == [1.0]


def test_a_user_whose_candidates_are_all_relevant_has_no_auc() -> None:
    model = Dropping(torch.tensor([[3.0, 2.0], [1.0, 2.0]])).eval()
    test = interactions(csr_matrix([[1, 1], [0, 1]]))
    assert np.isnan(evaluate_per_user(model, test)["auc"].to_numpy()).tolist() == [True, False]
    assert evaluate_in_batches([auc, mrr], test, model, verbose=False) == [1.0, 1.0]


def test_only_the_metrics_asked_for_are_given(
    model: Dropping, both: tuple[Interactions, Interactions]
) -> None:
    table = evaluate_per_user(model, both[0], metrics=("recall", "auc"))
    assert table.columns.tolist() == ["user", "recall", "auc"]
    with pytest.raises(ValueError, match=r"unknown metric 'coverage': use one of \['auc'"):
        evaluate_per_user(model, both[0], metrics=("coverage",))


def test_any_function_is_called_with_the_arguments_of_the_reference(
    model: Dropping, both: tuple[Interactions, Interactions]
) -> None:
    test, train = both
    sizes = []

    def count(*, targets: csr_matrix, user_ids: Any, preds: Tensor, k: int) -> float:
        hidden = train.mat.tocsr()[user_ids].toarray() > 0
        assert targets.shape == (USERS, ITEMS)
        assert preds.isneginf().numpy().tolist() == hidden.tolist()
        assert k == 4
        sizes.append(len(user_ids))
        return float(len(sizes))

    results = evaluate_in_batches([count, mrr], test, model, 4, 10, verbose=False, exclude=train)
    # weighted by the users of each batch
    expected = np.average(np.arange(1, len(sizes) + 1), weights=sizes)
    assert results[0] == pytest.approx(expected)
    assert len(set(sizes)) == 2


def test_a_metric_of_ours_gives_the_same_through_a_function_of_somebody(
    model: Dropping, both: tuple[Interactions, Interactions]
) -> None:
    def wrapped(**arguments: Any) -> float:
        return mapk(**arguments)

    results = evaluate_in_batches([mapk, wrapped], both[0], model, batch_size=5, verbose=False)
    assert results[0] == pytest.approx(results[1])


def test_dropout_is_off_meanwhile_and_each_layer_is_as_before_after(
    model: Dropping, both: tuple[Interactions, Interactions]
) -> None:
    first, second = (evaluate_in_batches(OURS, both[0], model, verbose=False) for _ in range(2))
    assert first == second
    assert (model.training, model.dropout.training, model.frozen.training) == (True, True, False)


def test_the_model_is_in_training_again_after_an_error(
    model: Dropping, both: tuple[Interactions, Interactions]
) -> None:
    def fail(**_: object) -> float:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        evaluate_in_batches([fail], both[0], model, verbose=False)
    assert model.training
    assert torch.is_grad_enabled()


def test_the_logger_receives_the_results_by_name_at_the_epoch(
    model: Dropping, both: tuple[Interactions, Interactions]
) -> None:
    logged: list[tuple[dict[str, float], int | None]] = []
    logger = SimpleNamespace(log_metrics=lambda named, step: logged.append((named, step)))
    results = evaluate_in_batches([mapk, auc], both[0], model, logger=logger, verbose=False)
    assert logged == [({"mapk": results[0], "auc": results[1]}, 3)]


def test_two_functions_of_one_name_are_logged_apart(
    model: Dropping, both: tuple[Interactions, Interactions]
) -> None:
    logged: list[dict[str, float]] = []
    logger = SimpleNamespace(log_metrics=lambda named, **_: logged.append(named))
    functions = [lambda **_: 1.0, lambda **_: 2.0]
    evaluate_in_batches(functions, both[0], model, logger=logger, verbose=False)
    assert logged == [{"<lambda>": 1.0, "<lambda>_2": 2.0}]


def test_a_model_without_hyperparameters_is_logged_without_a_step() -> None:
    model = Dropping(torch.eye(2))
    del model.hparams
    steps: list[int | None] = []
    logger = SimpleNamespace(log_metrics=lambda _, step: steps.append(step))
    evaluate_in_batches([mrr], interactions(csr_matrix(np.eye(2))), model, logger=logger)
    assert steps == [None]


def test_the_results_are_printed_if_asked(
    model: Dropping, both: tuple[Interactions, Interactions], capsys: pytest.CaptureFixture[str]
) -> None:
    (result,) = evaluate_in_batches([mrr], both[0], model, verbose=False)
    assert capsys.readouterr().out == ""
    evaluate_in_batches([mrr], both[0], model, verbose=True)
    assert f"mrr {result:.4f}" in capsys.readouterr().out


def test_a_nan_score_is_refused_with_its_user(
    model: Dropping, both: tuple[Interactions, Interactions]
) -> None:
    with torch.no_grad():
        model.table[USERS - 1, 5] = torch.nan
    with pytest.raises(ValueError, match=f"score of user {USERS - 1} for item 5 is NaN"):
        evaluate_per_user(model, both[0], batch_size=4)


def test_interactions_on_disk_are_refused(
    model: Dropping, both: tuple[Interactions, Interactions], tmp_path: Any
) -> None:
    path = tmp_path / "test.h5"
    pandas_df_to_hdf5(pd.DataFrame({"user_id": [0, 1], "item_id": [0, 1]}), path)
    on_disk: Any = HDF5Interactions(path)
    with pytest.raises(TypeError, match="is HDF5Interactions, must be Interactions: read_hdf5"):
        evaluate_in_batches([mrr], on_disk, model)
    with pytest.raises(TypeError, match="exclude is HDF5Interactions, must be"):
        evaluate_per_user(model, both[0], exclude=on_disk)


def test_ratings_are_refused_with_the_function_that_takes_them(model: Dropping) -> None:
    ratings: Any = ExplicitInteractions(users=[0], items=[0], num_users=USERS, num_items=ITEMS)
    message = "is ExplicitInteractions, must be Interactions: .*explicit_evaluate_in_batches"
    with pytest.raises(TypeError, match=message):
        evaluate_in_batches([mrr], ratings, model)
    with pytest.raises(TypeError, match=message):
        evaluate_per_user(model, ratings)


def test_a_metric_of_torchmetrics_is_refused_with_the_function_that_takes_it(
    model: Dropping,
) -> None:
    ratings: Any = ExplicitInteractions(users=[0], items=[0], num_users=USERS, num_items=ITEMS)
    metrics: Any = [MeanSquaredError()]  # as the reference's example calls it
    with pytest.raises(
        TypeError, match=r"MeanSquaredError\(\) .* explicit_evaluate_in_batches takes"
    ):
        evaluate_in_batches(metrics, ratings, model)


def test_a_name_is_no_metric(model: Dropping, both: tuple[Interactions, Interactions]) -> None:
    names: Any = ["mapk"]
    with pytest.raises(TypeError, match="metric 'mapk' is str, must be a function"):
        evaluate_in_batches(names, both[0], model)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k is 0, must be at least 1"),
        ({"batch_size": 0}, "batch_size is 0, must be at least 1"),
        ({"exclude": csr_matrix((USERS, 3))}, rf"exclude has \({USERS}, 3\) users and items"),
    ],
)
def test_senseless_options_are_refused(
    model: Dropping, both: tuple[Interactions, Interactions], options: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate_per_user(model, both[0], **options)
    with pytest.raises(ValueError, match=message):
        evaluate_in_batches(OURS, both[0], model, verbose=False, **options)


def test_test_data_of_other_users_are_refused(model: Dropping) -> None:
    with pytest.raises(
        ValueError, match=r"test_interactions has \(2, 2\) .* must have the model's"
    ):
        evaluate_per_user(model, interactions(csr_matrix(np.eye(2))))
