"""Publications and where their rows came from, for people: tables on the console."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from collie_pipeline.planning import in_words
from collie_pipeline.showing import Catalogue
from collie_pipeline.storage import current, made_at, publications, read_history
from collie_pipeline.tracing import WEIGHT, Trace

ROWS_SHOWN = 10


def publications_table(root: Path) -> Table:
    """Return all publications, the newest week last, with a mark at the one that serves."""
    table = Table(title="Publications", title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0))
    for heading in ("", "id", "model", "made", "size", "rows", "after"):
        table.add_column(heading, no_wrap=heading in ("id", "made", "after"))
    serving, withdrawn = _serving(root), read_history(root).withdrawn
    for each in publications(root):
        marks = ("→" if each.id == serving else "") + ("✗" if each.id in withdrawn else "")
        made = f"{made_at(each):%Y-%m-%d %H:%M}"
        rows = f"{each.manifest.get('rows', {}).get('users', 0):,}"
        size = in_words(sum(path.stat().st_size for path in each.path.iterdir()))
        model = escape(str(each.manifest.get("model", "")))
        after = each.parent.rpartition("-")[2][:6] if each.parent else "–"
        table.add_row(marks, each.id, model, made, size, rows, after)
    table.caption = "→ serves   ✗ was rolled back"
    return table


def _serving(root: Path) -> str | None:
    try:
        found = current(root)
    except ValueError:  # which `collie publications` says beside the table
        return None
    return None if found is None else found.id


def trace_lines(found: Trace, catalogue: Catalogue, user_id: str) -> Iterator[str | Table]:
    """Give what there is to say of `found`, for the console, from the list to the run."""
    publication, manifest, listed = found.publication, found.publication.manifest, found.listed
    item = catalogue.line(str(listed["item_id"]))
    yield (
        f"list         rank {listed['rank']} of {escape(user_id)}: {item}, score "
        f"{float(listed['score']):.4f}, from {escape(str(listed['source']))}"
    )
    yield f"publication  {publication.id}, made {publication.run.get('made', made_at(publication))}"
    if listed["source"] == "champion":
        digest = manifest["sha256"][publication.bundle.name]
        yield (
            f"model        {escape(str(manifest['model']))} ({found.bundle.class_name}), bundle "
            f"sha256 {digest[:12]}, code {manifest['code']}, seed {manifest.get('seed')}"
        )
    else:
        yield f"model        none: {found.popularity:,} users of the window like the item"
    window = manifest["window"]
    yield f"window       {len(window)} weeks of {manifest['source']}, {window[0]} to {window[-1]}"
    if found.changed:
        yield f"             [yellow]rows changed since: {', '.join(found.changed)}[/]"
    yield f"run          {publication.run.get('run_id', 'unknown')}: see it in `collie ui`"
    liked = int(found.rows["liked"].sum())
    yield f"rows         {len(found.rows)} of {escape(user_id)}, {liked} of them of liked items"
    if len(found.rows):
        yield _rows_table(found.rows, catalogue)


def _rows_table(rows: pd.DataFrame, catalogue: Catalogue) -> Table:
    weighed = WEIGHT in rows
    title = "what weighed most" if weighed else "the newest"
    table = Table(title=title, title_justify="left", box=SIMPLE, padding=(0, 1))
    for heading in ("item", "rating", "liked", *(("adds",) if weighed else ()), "raw/interactions"):
        table.add_column(heading)
    for row in rows.head(ROWS_SHOWN).to_dict("records"):
        added = (f"{row[WEIGHT]:+.4f}" if row[WEIGHT] == row[WEIGHT] else "–",) if weighed else ()
        place = f"{row['week']} row {row['source_row']}"
        liked = "yes" if row["liked"] else "no"
        rating = escape(str(row["rating"]))
        table.add_row(catalogue.line(str(row["item_id"])), rating, liked, *added, place)
    return table
