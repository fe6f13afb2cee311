"""Weeks that begin on Monday 00:00 UTC, as plain Python: the partitions' arithmetic."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self

ONE_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, order=True)
class Week:
    """One week, named by its Monday.

    Raises
    ------
    ValueError
        If `monday` is another day; `Week.of` takes any.
    """

    monday: date

    def __post_init__(self) -> None:
        if self.monday.weekday() != 0:
            raise ValueError(
                f"week {self.monday} begins on a {self.monday:%A}, must begin on a Monday: "
                f"use {_monday(self.monday)}"
            )

    @classmethod
    def of(cls, moment: date | datetime) -> Self:
        """Return the week that holds `moment`; a time of day is read in UTC."""
        if isinstance(moment, datetime):
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
            moment = moment.date()
        return cls(_monday(moment))

    @classmethod
    def parse(cls, key: str) -> Self:
        """Return the week called `key`, the ISO date of its Monday."""
        try:
            return cls(date.fromisoformat(key))
        except ValueError as error:
            raise ValueError(f"week {key!r} is not the ISO date of a Monday: {error}") from None

    @property
    def key(self) -> str:
        """The ISO date of the Monday: the name of the partition."""
        return self.monday.isoformat()

    @property
    def start(self) -> datetime:
        """The first instant of the week, in UTC."""
        return datetime.combine(self.monday, time(), UTC)

    @property
    def end(self) -> datetime:
        """The first instant after the week, in UTC."""
        return self.start + ONE_WEEK

    @property
    def previous(self) -> Self:
        """The week before."""
        return type(self)(self.monday - ONE_WEEK)

    @property
    def next(self) -> Self:
        """The week after."""
        return type(self)(self.monday + ONE_WEEK)


def weeks_between(first: Week, last: Week) -> list[Week]:
    """Return the weeks from `first` to `last`, both included, oldest first.

    Raises
    ------
    ValueError
        If `last` is before `first`.
    """
    if last < first:
        raise ValueError(f"the last week {last.key} is before the first, {first.key}: swap them")
    count = (last.monday - first.monday) // ONE_WEEK + 1
    return [Week(first.monday + number * ONE_WEEK) for number in range(count)]


def window(week: Week, n: int, first: Week) -> list[Week]:
    """Return the `n` weeks that end with `week`, oldest first, none of them before `first`.

    Raises
    ------
    ValueError
        If `n` is less than 1, or `week` is before `first`.
    """
    if n < 1:
        raise ValueError(f"n is {n}, must be at least 1: a window holds its own week")
    return weeks_between(max(first, Week(week.monday - (n - 1) * ONE_WEEK)), week)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
