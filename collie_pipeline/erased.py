"""Who was erased: remembered as salted hashes, so that nobody comes in again with the source."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from collie_pipeline.broken_lines import broken_lines, ids_in
from collie_pipeline.preparation.ids import text_ids
from collie_pipeline.storage.sealed import read_sealed, write_sealed

FILE = "erased.json"
TOMBSTONE_LENGTH = 16


@dataclass(frozen=True)
class Erased:
    """Hashes of erased users' ids. Who has the file can try an id, but not read one."""

    salt: str
    hashes: frozenset[str] = frozenset()

    def hash_of(self, user_id: str) -> str:
        """Return what is kept of `user_id`."""
        return hashlib.sha256(f"{self.salt}{user_id}".encode()).hexdigest()

    def tombstone_of(self, user_id: str) -> str:
        """Return what takes the place of `user_id`: the same each time, so that erasing can go on.

        It does not tell the id to whom has not the salt.
        """
        return f"erased-{self.hash_of(user_id)[:TOMBSTONE_LENGTH]}"

    def among(self, user_ids: Iterable[object]) -> set[str]:
        """Return those of `user_ids` that were erased."""
        return {str(each) for each in user_ids if self.hash_of(str(each)) in self.hashes}

    def fingerprint(self) -> str:
        """Return a hash that changes when somebody is erased."""
        return hashlib.sha256("".join([self.salt, *sorted(self.hashes)]).encode()).hexdigest()


def read_erased(root: Path) -> Erased | None:
    """Return who was erased under `root`, or None if nobody was.

    Raises
    ------
    ValueError
        If the file is there and not what was written: who was erased must not come in again.
    """
    path = root / FILE
    try:
        known = read_sealed(path)
        return Erased(str(known["salt"]), frozenset(map(str, known["hashes"])))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is not what was written ({error}), and it says whose rows must not come in: "
            "restore it, or remove it and use `collie erase-user` again for each who was erased"
        ) from None


def remember(root: Path, user_id: str) -> Erased:
    """Let no rows of `user_id` come in again, and return who was erased."""
    erased = read_erased(root) or Erased(secrets.token_hex(16))
    erased = replace(erased, hashes=erased.hashes | {erased.hash_of(user_id)})
    write_erased(root, erased)
    return erased


def write_erased(root: Path, erased: Erased) -> None:
    """Keep `erased`, for its owner alone to read."""
    content = {"salt": erased.salt, "hashes": sorted(erased.hashes)}
    write_sealed(root / FILE, content, mode=0o600)


def rows_of(table: pd.DataFrame, user_ids: Iterable[str]) -> "pd.Series[bool]":
    """Return whether each row of `table`, (B,), is of one of `user_ids`, as read or as cleaned.

    A line that could not be parted into fields is of whoever may be in it.
    """
    return _with_any(table, _told(table), user_ids)


def without_erased(root: Path, table: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the rows of `table`, as read from a source, of nobody who was erased, and how many go.

    They are counted and not quarantined: a quarantine keeps rows.
    """
    erased = read_erased(root)
    if erased is None:
        return table, 0
    told = _told(table)
    dropped = _with_any(table, told, erased.among(told.unique()))
    return table[~dropped].reset_index(drop=True), int(dropped.sum())


def _told(table: pd.DataFrame) -> "pd.Series[str]":
    """Return each id that a row may be of, as read and as cleaned, by the number of the row."""
    if "user_id" not in table or table.empty:
        return pd.Series(dtype="str")
    numbered = table.reset_index(drop=True)
    ids = numbered["user_id"]
    parts = broken_lines(numbered).map(lambda line: [*ids_in(line)]).explode()
    alone = [text_ids(each) for each in (ids, parts) if len(each)]
    return pd.concat([*alone, ids.astype("str").str.strip(), parts.astype("str")]).dropna()


def _with_any(
    table: pd.DataFrame, told: "pd.Series[str]", user_ids: Iterable[str]
) -> "pd.Series[bool]":
    rows = told.index[told.isin(set(user_ids))]
    return pd.Series(np.isin(np.arange(len(table)), rows), index=table.index)
