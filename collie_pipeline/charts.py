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
