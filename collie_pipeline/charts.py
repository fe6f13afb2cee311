"""Small pictures made of text, for metadata that people would rather look at than read."""

from collections.abc import Iterable, Sequence
from math import isnan
from typing import Any

from collie_pipeline.text import one_line

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], within: Sequence[float] = ()) -> str:
    """Return `values` as one line of blocks, the lowest the smallest; NaN is a gap.

    Parameters
    ----------
    values : what is drawn.
    within : other values on the same scale, so that lines can be compared.
    """
    known = [value for value in (*values, *within) if not isnan(value)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    step = (high - low) or 1.0
    top = len(BLOCKS) - 1
    return "".join(" " if isnan(v) else BLOCKS[int((v - low) / step * top)] for v in values)


def bars(rows: Iterable[tuple[Any, float]], width: int = 24) -> str:
    """Return named values >= 0 as horizontal bars, in a Markdown code block."""
    rows = [(one_line(name), value) for name, value in rows]  # a second line could end the block
    top = max((value for _, value in rows), default=0.0) or 1.0
    name_width = max((len(name) for name, _ in rows), default=0)
    lines = [f"{n:<{name_width}} {'█' * round(v / top * width):<{width}} {v:,.4g}" for n, v in rows]
    return "\n".join(["```", *lines, "```"])


def plot(values: Sequence[float], width: int = 60, height: int = 6, unit: str = "epochs") -> str:
    """Return `values` by epoch, or another `unit`, as columns with their scales, in a code block.

    Where there are more than `width` of them, some are left out, evenly; NaN is a gap.
    """
    places = [round(n * (len(values) - 1) / max(1, width - 1)) for n in range(width)]
    shown = [values[p] for p in places] if len(values) > width else list(values)
    known = [value for value in values if not isnan(value)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    labels = [f"{high:.4g}", *[""] * (height - 2), f"{low:.4g}"]
    margin = max(map(len, labels))
    levels = [_level(v, low, high, len(BLOCKS) * height) for v in shown]
    lines = [
        f"{label:>{margin}} ┤{''.join(_block(level, height - 1 - row) for level in levels)}"
        for row, label in enumerate(labels)
    ]
    axis = f"{'':>{margin}}  {1:<{max(1, len(shown) - 2)}} {len(values)} {unit}"
    return "\n".join(["```", *lines, axis, "```"])


def _level(value: float, low: float, high: float, top: int) -> int:
    """Return how many of `top` eighths of a line `value` is high; the lowest is still seen."""
    return 0 if isnan(value) else 1 + int((value - low) / ((high - low) or 1.0) * (top - 1))


def _block(level: int, row: int) -> str:
    """Return what a column of `level` eighths shows in the line `row`, from 0 below."""
    part = min(level - row * len(BLOCKS), len(BLOCKS))
    return BLOCKS[part - 1] if part > 0 else " "
