from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from collie_core.interactions import Interactions
from collie_core.model import MatrixFactorizationModel
from collie_core.model.footprint import footprint
from collie_core.model.rowwise import RowwiseAdagrad

ROWS, DIMS, LR = 6, 3, 0.5


def followed(steps: list[list[int]], *, sparse: bool) -> np.ndarray:
    """Return a table after steps that each learn from some of its rows, some more than once."""
    torch.manual_seed(0)
    table = nn.Embedding(ROWS, DIMS, sparse=sparse)
    optimizer = RowwiseAdagrad([table.weight], lr=LR)
    for rows in steps:
        optimizer.zero_grad(set_to_none=True)
        table(torch.tensor(rows)).pow(3).sum().backward()
        optimizer.step()
    return table.weight.detach().numpy()


def by_hand(steps: list[list[int]]) -> np.ndarray:
    torch.manual_seed(0)
    table = nn.Embedding(ROWS, DIMS).weight.detach().numpy().astype(np.float64)
    sums = np.zeros(ROWS)
    for rows in steps:
        gradients = {row: rows.count(row) * 3 * table[row] ** 2 for row in set(rows)}
        for row, gradient in gradients.items():
            sums[row] += (gradient**2).mean()
            table[row] -= LR * gradient / np.sqrt(sums[row])
    return table


@given(st.lists(st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=9), max_size=4))
@settings(max_examples=50, deadline=None)
def test_rows_change_by_the_formula_however_gradients_come(steps: list[list[int]]) -> None:
    expected = by_hand(steps)
    for sparse in (True, False):
        np.testing.assert_allclose(followed(steps, sparse=sparse), expected, rtol=2e-4, atol=1e-5)


def test_rows_without_a_gradient_stay() -> None:
    before, after = followed([], sparse=True), followed([[1, 1, 4]], sparse=True)
    assert (before != after).any(axis=1).nonzero()[0].tolist() == [1, 4]


def test_a_number_and_a_vector_are_rows_too() -> None:
    number, vector = nn.Parameter(torch.tensor(2.0)), nn.Parameter(torch.tensor([1.0, 4.0]))
    optimizer = RowwiseAdagrad([number, vector], lr=LR)
    (number * 3 + vector.square().sum()).backward()
    loss = optimizer.step(lambda: 7.0)
    assert (loss, number.item(), vector.tolist()) == (7.0, 1.5, [0.5, 3.5])


@pytest.mark.parametrize("wrong", [{"lr": 0.0}, {"eps": -1.0}])
def test_what_is_not_positive_is_refused(wrong: dict[str, float]) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name} is .*, must be > 0"):
        RowwiseAdagrad([nn.Parameter(torch.zeros(2))], **wrong)


@pytest.mark.parametrize("sparse", [True, False])
def test_its_state_is_a_number_a_row(sparse: bool) -> None:
    options: dict[str, Any] = {"optimizer": "rowwise_adagrad", "bias_optimizer": None}
    found = footprint(MatrixFactorizationModel, 1000, 500, sparse=sparse, **options)
    assert found.optimizer == 4 * 2 * (1000 + 500)  # of factors and of biases


def test_it_has_no_weight_decay() -> None:
    train = Interactions(mat=np.eye(4), num_negative_samples=2)
    with pytest.raises(ValueError, match=r"weight_decay is 0\.1, but 'rowwise_adagrad' has"):
        MatrixFactorizationModel(train, optimizer="rowwise_adagrad", weight_decay=0.1)
