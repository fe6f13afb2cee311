"""What is kept of each block of users, until a metric of all of them follows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from collie_core.metrics.blocks import Block, Column, Trial

Metric = Callable[..., float]
Part = Callable[[Block], tuple[float, int]]


class Tally(Protocol):
    """A metric in the making."""

    def add(self, block: Block) -> None:
        """Take in a block of users."""

    def result(self) -> float:
        """Return the metric of all users taken in."""


@dataclass
class Mean:
    """A mean over users, of whose parts one block tells the sum and the number of users."""

    part: Part
    total: float = 0.0
    users: int = 0

    def add(self, block: Block) -> None:
        """Take in a block of users."""
        total, users = self.part(block)
        self.total += total
        self.users += users

    def result(self) -> float:
        """Return the mean; NaN of nobody."""
        return self.total / self.users if self.users else float("nan")


class Coverage:
    """The share of the items of a trial that are in the list of at least one user."""

    def __init__(self, trial: Trial) -> None:
        self.is_listed = np.zeros(trial.targets.shape[1], dtype=np.bool_)

    def add(self, block: Block) -> None:
        """Take in a block of users."""
        self.is_listed[block.lists[block.lists >= 0]] = True

    def result(self) -> float:
        """Return the share."""
        return float(self.is_listed.mean())


def column_part(column: Column) -> Part:
    """Return the part of a metric that is known of each user, or NaN."""

    def part(block: Block) -> tuple[float, int]:
        values = column(block)
        return float(np.nansum(values)), int((~np.isnan(values)).sum())

    return part


def function_part(metric: Metric) -> Part:
    """Return the part of a function that tells the mean over the users it is called with."""

    def part(block: Block) -> tuple[float, int]:
        trial, users = block.trial, block.users
        mean = metric(targets=trial.targets, user_ids=users, preds=block.preds, k=trial.k)
        return float(mean) * len(users), len(users)

    return part
