"""Tables as Markdown, for the UI."""

import re
from collections.abc import Sequence
from typing import Any

import dagster as dg
import pandas as pd

from collie_pipeline.text import one_line

PREVIEWED = 5  # rows
SPECIAL = re.compile(r"[\\`*_\[\]<>|~&!]")  # what begins code, emphasis, links, HTML or a new cell


def markdown(
    table: pd.DataFrame, rows: int = PREVIEWED, ready: Sequence[str] = ()
) -> dg.MarkdownMetadataValue:
    """Return the first rows of `table` as a Markdown table for the UI; all is shown as it is.

    Parameters
    ----------
    rows : how many rows.
    ready : columns that are Markdown already, and made by us alone.
    """
    head = table.head(rows)
    columns = [_cells(head.iloc[:, place], ready) for place in range(head.shape[1])]
    names = [escaped(name) for name in head.columns]
    lines = [names, ["---"] * len(names), *zip(*columns, strict=True)]
    return dg.MetadataValue.md("\n".join("| " + " | ".join(line) + " |" for line in lines))


def escaped(text: object) -> str:
    """Return `text` on one line, with nothing in it that means something in Markdown or HTML."""
    return SPECIAL.sub(r"\\\g<0>", one_line(text))


def _cells(values: "pd.Series[Any]", ready: Sequence[str]) -> list[str]:
    show = str if values.name in ready else escaped
    return [show(value) for value in values.astype(object)]
