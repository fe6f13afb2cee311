"""Whether what a model needs is there, said before it is made."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from rich.box import SIMPLE
from rich.table import Table

from collie_core.baselines.ease import memory_bytes
from collie_core.interactions.hdf5_file import columns_of, known_counts, opened
from collie_pipeline.needs import GPU_MEMORY, MEMORY, Counts, Need, needed
from collie_pipeline.settings import Settings
from collie_pipeline.training_settings import Training

MANY_ITEMS = 10_000  # beyond which a loss over all of them takes longest
MIB = 1 << 20
FEWER_ITEMS = "raise prepare.min_item_interactions"
WAYS_OUT: Mapping[str, str] = {
    "interactions": "lower window_weeks, or raise prepare.min_user_interactions",
    **dict.fromkeys(
        ("model", "gradients", "optimizer", "best weights"),
        f"lower the model's embedding_dim, or {FEWER_ITEMS}",
    ),
    "batch": "lower the model's batch_size (batch_users) or num_negative_samples",
    "scores": FEWER_ITEMS,
    "similarity": "lower models.item_knn.neighbours",
    "weights": f"use item_knn in its place, or {FEWER_ITEMS}",
}


def counts_in(path: Path, **known: int) -> Counts:
    """Return the counts of an HDF5 file of interactions; `known` are the others of `Counts`.

    Raises
    ------
    ValueError
        If the file does not say how many users and items there are.
    """
    with opened(path) as file:
        columns = columns_of(file, ("user_id", "item_id"))
        said = known_counts(columns)
        if len(said) < 2:
            raise ValueError("it has no counts of users and items: write it with write_hdf5")
        return Counts(**said, **known, num_interactions=len(columns["user_id"]))


def available(device: str = "cpu") -> dict[str, int]:
    """Return the bytes of each kind of memory: of the machine or its container, and free on GPU."""
    have = {MEMORY: memory_bytes()}
    return {**have, GPU_MEMORY: torch.cuda.mem_get_info()[0]} if device == "cuda" else have


def refuse_what_does_not_fit(
    name: str,
    settings: Settings,
    counts: Counts,
    device: str = "cpu",
    have: Mapping[str, int] | None = None,
) -> Need:
    """Return what making `name` needs, if it fits.

    Parameters
    ----------
    have : bytes of each kind of memory; None asks the machine.

    Raises
    ------
    ValueError
        If it cannot fit; the message says what is largest, and which setting makes it smaller.
    """
    need = needed(name, settings, counts, device)
    for kind, limit in (available(device) if have is None else have).items():
        if (total := need.total(kind)) > limit:
            largest = need.largest(kind)
            raise ValueError(
                f"{name} with {counts.num_users:,} users and {counts.num_items:,} items needs "
                f"{in_words(total)} of {kind}, must fit in {in_words(limit)}: {WAYS_OUT[largest]} "
                f"({largest}: {in_words(need.parts[kind][largest])}){_elsewhere(kind)}"
            )
    return need


def slow(name: str, settings: Settings, counts: Counts) -> str:
    """Return what takes long in every epoch of `name`, with the way out; "" where nothing does."""
    family = name.partition("/")[0]
    own = getattr(settings.models, family, None)  # a baseline may have none
    if not (isinstance(own, Training) and own.is_of_all_items) or counts.num_items <= MANY_ITEMS:
        return ""
    return (
        f"{name} scores all {counts.num_items:,} items for each of {counts.num_users:,} users in "
        f"every epoch, as models.{family}.loss = {own.loss!r} does: best with no more than some "
        f"{MANY_ITEMS:,} items; 'softmax' draws a few"
    )


def at_most(needs: Sequence[Need]) -> dict[str, float]:
    """Return the MiB that the largest of `needs` has of each kind of memory."""
    kinds = dict.fromkeys(kind for need in needs for kind in need.parts)
    return {kind: max(need.total(kind) for need in needs) / MIB for kind in kinds}


def in_full(need: Need) -> str:
    """Return what making a model needs of each kind of memory, and for what, the most first."""
    said = []
    for kind, parts in need.parts.items():
        largest_first = sorted(parts.items(), key=lambda part: -part[1])
        named = ", ".join(f"{part} {in_words(size)}" for part, size in largest_first)
        said.append(f"{in_words(need.total(kind))} of {kind} ({named})")
    return f"{need.name} needs {' and '.join(said)}"


def _elsewhere(kind: str) -> str:
    return ", or set device = 'cpu'" if kind == GPU_MEMORY else ""


def in_words(size: float) -> str:
    """Return a number of bytes as people say it, such as 1.5 GiB."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} TiB"


def plan_table(
    settings: Settings, counts: Counts, device: str = "cpu", have: Mapping[str, int] | None = None
) -> Table:
    """Return what each configured model needs of each kind of memory, beside what there is."""
    limits = available(device) if have is None else have
    title = (
        f"What training on {counts.num_interactions:,} interactions of {counts.num_users:,} users "
        f"with {counts.num_items:,} items needs"
    )
    table = Table("model", title=title, title_justify="left", box=SIMPLE, padding=(0, 1))
    for kind, limit in limits.items():
        table.add_column(f"{kind}, of {in_words(limit)}", justify="right")
    table.add_column("most of it for")
    for name in settings.models.names:
        need = needed(name, settings, counts, device)
        totals = {kind: need.total(kind) for kind in limits}
        cells = [_marked(total, limits[kind]) for kind, total in totals.items()]
        table.add_row(name, *cells, need.largest(max(totals, key=lambda k: totals[k] / limits[k])))
    return table


def _marked(total: int, limit: int) -> str:
    return in_words(total) if total <= limit else f"[red]{in_words(total)}[/]"
