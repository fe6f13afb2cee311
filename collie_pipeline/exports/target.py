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
