"""Rows that a source could not part into fields, and whose they may be."""

import re
from collections.abc import Iterator
from itertools import accumulate, takewhile

import pandas as pd

from collie_pipeline.preparation.clean import AS_READ, FAULT
from collie_pipeline.preparation.ids import LONGEST

RAGGED = "ragged_row"
BETWEEN = r"[^\w\-]"  # words
PARTS = re.compile(rf"[\w\-]+|{BETWEEN}")


def broken_lines(table: pd.DataFrame) -> "pd.Series[str]":
    """Return the texts in `table` that may hold more than a field, by the number of their row.

    Where a line has too many fields or too few, that is what stands for the user; a quote that is
    not closed makes one field of many lines. None can be used, and only tables of rows as they were
    read, in `raw` and in quarantine, have any.
    """
    known = [name for name in AS_READ if name in table]
    is_broken = (table[known].isna() | (table[known] == "")).any(axis=1)
    for name in (FAULT, "reason"):
        if name in table:
            is_broken |= table[name].eq(RAGGED).fillna(False)
    lines = [
        text[text.str.contains(r"[\r\n]", na=False) | (is_broken & (name == "user_id"))]
        for name, text in table[known].items()
        if "source_row" in table and pd.api.types.is_string_dtype(text.dtype)
    ]
    found: pd.Series[str] = pd.concat([pd.Series(dtype="str"), *lines]).dropna()
    return found[found.str.contains(BETWEEN)]


def ids_in(line: str) -> set[str]:
    """Return whatever in `line` may be an id: words, and runs of them with what is between."""
    return {each.strip() for each in _runs(PARTS.findall(line))}


def _runs(parts: list[str]) -> Iterator[str]:
    for begin in range(len(parts)):
        runs = accumulate(parts[begin : begin + LONGEST])
        yield from takewhile(lambda run: len(run) <= LONGEST, runs)
