"""What values a setting may take in a search: how Optuna draws them, and what a drawn one means."""

from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

DIGITS = 3  # of what is drawn: more would be noise, and nobody could read them


class Dimension(Protocol):
    """The values of one setting."""

    def including(self, value: Any) -> Self:
        """Return the same with the present `value` in it, wherever that lies."""

    def distribution(self) -> BaseDistribution:
        """Return what Optuna draws from."""

    def drawn(self, value: Any) -> Any:
        """Return what Optuna would have drawn for the setting to be `value`."""

    def setting(self, drawn: Any) -> Any:
        """Return the setting that `drawn` means."""


@dataclass(frozen=True)
class Between:
    """Numbers from `low` to `high`; with `log`, each order of magnitude is as likely as another.

    Parameters
    ----------
    present : the present value, which stays as exact as it is.
    """

    low: float
    high: float
    log: bool = False
    present: float | None = None

    def including(self, value: float) -> Self:
        """Return the same with `value` in it."""
        low, high = min(self.low, value), max(self.high, value)
        return replace(self, low=low, high=high, present=value)

    def distribution(self) -> BaseDistribution:
        """Return a range of floats."""
        return FloatDistribution(self.low, self.high, log=self.log)

    def drawn(self, value: float) -> float:
        """Return `value` itself."""
        return float(value)

    def setting(self, drawn: float) -> float:
        """Return `drawn` with a few digits, unless it is the present value."""
        return drawn if drawn == self.present else float(f"{drawn:.{DIGITS}g}")


@dataclass(frozen=True)
class OrZero:
    """Either 0 or a number from `low` to `high`, each order of magnitude as likely as another.

    What is drawn from the order of magnitude below `low` is 0: so Optuna sees 0 beside the small
    numbers, where it belongs.
    """

    low: float
    high: float
    present: float | None = None

    def including(self, value: float) -> Self:
        """Return the same with `value` in it."""
        low = min(self.low, value) if value else self.low
        return replace(self, low=low, high=max(self.high, value), present=value)

    def distribution(self) -> BaseDistribution:
        """Return a range of floats from below `low` on."""
        return FloatDistribution(self.low / 10, self.high, log=True)

    def drawn(self, value: float) -> float:
        """Return `value`, or the least that is drawn for 0."""
        return float(value) or self.low / 10

    def setting(self, drawn: float) -> float:
        """Return `drawn`, or 0 if it is below `low`."""
        if drawn < self.low:
            return 0.0
        return drawn if drawn == self.present else float(f"{drawn:.{DIGITS}g}")


@dataclass(frozen=True)
class Whole:
    """Whole numbers from `low` to `high`, each order of magnitude as likely as another."""

    low: int
    high: int

    def including(self, value: int) -> Self:
        """Return the same with `value` in it."""
        return replace(self, low=min(self.low, value), high=max(self.high, value))

    def distribution(self) -> BaseDistribution:
        """Return a range of integers."""
        return IntDistribution(self.low, self.high, log=True)

    def drawn(self, value: int) -> int:
        """Return `value` itself."""
        return value

    def setting(self, drawn: int) -> int:
        """Return `drawn` itself."""
        return drawn


@dataclass(frozen=True)
class OneOf:
    """One of some values, none of them nearer to another."""

    options: tuple[Any, ...]

    def including(self, value: Any) -> Self:
        """Return the same with `value` among them."""
        return self if value in self.options else replace(self, options=(*self.options, value))

    def distribution(self) -> BaseDistribution:
        """Return the options; a tuple as text, as Optuna stores no tuples."""
        return CategoricalDistribution([self.drawn(option) for option in self.options])

    def drawn(self, value: Any) -> Any:
        """Return `value`, or the text of a tuple."""
        return str(list(value)) if isinstance(value, tuple) else value

    def setting(self, drawn: Any) -> Any:
        """Return the option that is called `drawn`."""
        return next(option for option in self.options if self.drawn(option) == drawn)
