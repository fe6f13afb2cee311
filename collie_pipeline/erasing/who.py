"""Whom an erasure is about, and what of them can be told from other bytes."""

import re
import secrets
from dataclasses import dataclass, field

SHORTEST = 5  # shorter ids, and those of digits alone, are everywhere by chance
EDGE = r"[0-9A-Za-z_\-]"


@dataclass(frozen=True)
class Who:
    """The user to erase; `tombstone` takes the id's place where places have to stay."""

    user_id: str
    tombstone: str = field(default_factory=lambda: f"erased-{secrets.token_hex(8)}")

    def __post_init__(self) -> None:
        if not self.user_id.strip():
            raise ValueError(f"the user is {self.user_id!r}, must be an id: give one")

    @property
    def is_telling(self) -> bool:
        """Whether the id means the user wherever it is found, and not only in a column of ids."""
        return len(self.user_id) >= SHORTEST and not self.user_id.isdecimal()

    @property
    def token(self) -> "re.Pattern[str]":
        """The id where it is no part of a longer one: user-1 is not in user-10."""
        return re.compile(rf"(?<!{EDGE}){re.escape(self.user_id)}(?!{EDGE})")

    def is_in(self, text: str) -> bool:
        """Return whether `text` tells of the user."""
        return self.is_telling and self.token.search(text) is not None

    def redacted(self, text: str) -> str:
        """Return `text` with the tombstone in place of the id."""
        return self.token.sub(self.tombstone, text) if self.is_telling else text
