"""Checks of what a model answers: scores of pairs, rankings, vectors."""

import random
from typing import Any

import numpy as np
import torch
from torch import Tensor

from collie_core.model import BasePipeline
from collie_core.model.scoring import Scoring
from collie_core.recommend import scoring
from collie_core.testing.subject import (
    EVERY_ITEM,
    EVERY_USER,
    NUM_ITEMS,
    NUM_USERS,
    Subject,
    Violations,
    pair_scores,
    same,
)


def shapes(subject: Subject) -> Violations:
    """Yield if `forward` does not give one number a pair, even for one pair or none."""
    model = subject.build().eval()
    for count in (4, 1, 0):
        with scoring(model):
            scores = model(EVERY_USER[:count], EVERY_ITEM[:count])
        if scores.shape != (count,):
            yield (
                f"forward gave {tuple(scores.shape)} for {count} pairs, must be ({count},): "
                "reduce the last dimension alone, not with squeeze()"
            )
            return
        if not scores.is_floating_point():
            yield f"forward gave {scores.dtype}, must be floating point: return scores.float()"
            return


def finite(subject: Subject) -> Violations:
    """Yield if a score is NaN or infinite."""
    scores = pair_scores(subject.build())
    if not (numbers := scores.isfinite()).all():
        user, item = (~numbers).nonzero()[0].tolist()
        yield (
            f"the score of user {user} for item {item} is {scores[user, item].item()}, must be "
            "finite: look for a division by 0, a log or a root in forward"
        )


def evaluation(subject: Subject) -> Violations:
    """Yield if scores depend on chance, or scoring on others' random numbers."""
    model = subject.build()
    random.random(), np.random.random(), torch.rand(1)  # noqa: NPY002, S311 - no seed's first state
    before = _random_states()
    first, second = pair_scores(model), pair_scores(model)
    if not same(first, second):
        yield (
            f"two calls of forward in eval mode differ by {_largest_gap(first, second):.2g}, must "
            "be equal: drop out with a module, or heed self.training, and draw nothing else"
        )
    elif _random_states() != before:
        yield (
            "forward changed the global random state, must leave it: give the model a generator "
            "of its own"
        )


def _random_states() -> tuple[bytes, str, object]:
    arrays = np.random.get_state()  # noqa: NPY002 - it is the global state that is watched
    return torch.get_rng_state().numpy().tobytes(), repr(arrays), random.getstate()


def _largest_gap(one: Tensor, other: Tensor) -> float:
    return (one - other).abs().nan_to_num().max().item()


def modes(subject: Subject) -> Violations:
    """Yield if ranking leaves a layer in another mode than it was in."""
    for is_training in (True, False):
        model = subject.build().train(is_training)
        model.score_all(EVERY_USER)
        model.get_item_predictions(0)
        if moved := [name for name, each in model.named_modules() if each.training != is_training]:
            named = [name or type(model).__name__ for name in moved]
            yield (
                f"scoring left {named} with training={not is_training}, was {is_training}: call "
                "neither eval() nor train() in it"
            )
            return


def ranking(subject: Subject) -> Violations:
    """Yield if `score_all` does not give what `forward` gives."""
    model = subject.trained()
    with scoring(model):
        ranked = model.score_all(EVERY_USER)
    yield from _compared(model, "score_all", ranked, EVERY_ITEM.expand(NUM_USERS, -1))


def candidates(subject: Subject) -> Violations:
    """Yield if `score_candidates` does not give what `forward` gives."""
    model = subject.trained()
    items = (EVERY_USER[:, None] * 7 + torch.tensor([0, 3, 4])) % NUM_ITEMS
    with scoring(model):
        scores = model.score_candidates(EVERY_USER, items)
    yield from _compared(model, "score_candidates", scores, items)


def _compared(model: BasePipeline, name: str, scores: Tensor, items: Tensor) -> Violations:
    """Yield if `scores` are not those of every user and his row of `items` (U, C)."""
    every = pair_scores(model)
    if not same(every, pair_scores(model)):
        return  # "evaluation" has the reason
    expected = every.gather(1, items)
    if scores.shape != expected.shape:
        yield (
            f"{name} gave {tuple(scores.shape)}, must be {tuple(expected.shape)}: a row for each "
            "user, a column for each item"
        )
        return
    numbers = every.nan_to_num(0, 0, 0)
    tolerance = 1e-6 + 1e-3 * float(numbers.max() - numbers.min())
    if not torch.allclose(scores, expected, rtol=1e-4, atol=tolerance, equal_nan=True):
        gaps = (scores - expected).abs().nan_to_num(torch.inf)
        user, column = divmod(int(gaps.argmax()), scores.shape[1])
        yield (
            f"{name} gave {scores[user, column].item():.6g} for user {user} and item "
            f"{items[user, column].item()}, forward {expected[user, column].item():.6g}: they must "
            f"agree, so correct {name} or do without your own"
        )


def vectors(subject: Subject) -> Violations:
    """Yield if the vectors for similarities, where there are any, are not one a user and item."""
    model = subject.build()
    for name, count in (("_get_item_embeddings", NUM_ITEMS), ("_get_user_embeddings", NUM_USERS)):
        if getattr(type(model), name) is getattr(Scoring, name):
            continue  # it has no similarities, which is allowed
        with scoring(model):
            given: Any = getattr(model, name)()
        if given.ndim != 2 or len(given) != count:
            yield f"{name} gave {tuple(given.shape)}, must be ({count}, D): give a row for each"
        elif not given.isfinite().all():
            yield f"{name} gave NaN or infinity, must be finite: look at how it is computed"
