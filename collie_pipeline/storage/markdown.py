"""Tables as Markdown, for the UI."""

import dagster as dg
import pandas as pd


def markdown(table: pd.DataFrame, rows: int = 5) -> dg.MarkdownMetadataValue:
    """Return the first rows of `table` as a Markdown table for the UI."""
    head = table.head(rows).astype(object).map(lambda value: str(value).replace("|", "\\|"))
    lines = [list(map(str, table.columns)), ["---"] * table.shape[1], *head.to_numpy().tolist()]
    return dg.MetadataValue.md("\n".join("| " + " | ".join(line) + " |" for line in lines))
