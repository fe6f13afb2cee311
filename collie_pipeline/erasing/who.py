"""Whom an erasure is about, and what of them can be told from other bytes."""

import re
from dataclasses import dataclass
from functools import cached_property

from collie_pipeline.erasing.escapes import AFTER_ESCAPE, written

SHORTEST = 5  # shorter ids, and those of digits alone, are everywhere by chance
EDGE = r"[0-9A-Za-z_\-]"
BEGIN = re.compile(f"(?<!{EDGE})|{AFTER_ESCAPE}")


@dataclass(frozen=True)
class Who:
    """The user to look for; `tombstone` takes the id's place where places have to stay."""

    user_id: str
    tombstone: str = "erased-user"

    def __post_init__(self) -> None:
        if not self.user_id.strip():
            raise ValueError(f"the user is {self.user_id!r}, must be an id: give one")

    @property
    def is_telling(self) -> bool:
        """Whether the id means the user wherever it is found, and not only in a column of ids."""
        return len(self.user_id) >= SHORTEST and not self.user_id.isdecimal()

    def is_in(self, text: str) -> bool:
        """Return whether `text` tells of the user.

        The id may stand there as HTML, JSON or a URL has it, and is no part of a longer one: user-1
        is not in user-10.
        """
        return self.is_telling and any(map(_begins, self._pattern.finditer(text)))

    def redacted(self, text: str) -> str:
        """Return `text` with the tombstone in place of the id."""
        if not self.is_telling:
            return text
        return self._pattern.sub(lambda at: self.tombstone if _begins(at) else at[0], text)

    @cached_property
    def _pattern(self) -> "re.Pattern[str]":
        return re.compile(f"{written(self.user_id)}(?!{EDGE})")


def _begins(found: "re.Match[str]") -> bool:
    """Return whether an id begins at its place: to look back first would take ten times as long."""
    return BEGIN.match(found.string, found.start()) is not None
