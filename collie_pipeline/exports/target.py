"""What every place that publications are exported to can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from collie_pipeline.storage import Publication

Rows = Mapping[str, int]


@dataclass(frozen=True)
class Held:
    """What a target holds, as it is read back: the id of a publication, and rows by table."""

    publication: str
    rows: Rows


class Target(Protocol):
    """A place whose readers see one whole publication, and after an export the next."""

    @property
    def name(self) -> str:
        """The name in the table of targets."""
        ...

    def put(self, publication: Publication) -> Rows:
        """Replace what the target holds by `publication`, and return how many rows each table got.

        Raises
        ------
        ValueError, OSError
            If it cannot; then the target holds what it held.
        """
        ...

    def held(self) -> Held:
        """Return what the target holds.

        Raises
        ------
        ValueError
            If it holds nothing, or cannot be read.
        """
        ...

    def rows_of(self, user_id: str) -> Rows:
        """Return how many rows are of a user, by table, in all that this and earlier exports made.

        Tables without any are left out.

        Raises
        ------
        ValueError, OSError
            If it cannot be read.
        """
        ...

    def forget(self, user_id: str) -> None:
        """Remove each whole table that has rows of a user: what serves is to be put there before.

        Raises
        ------
        ValueError, OSError
            If one cannot be removed; the message says which, and why.
        """
        ...
