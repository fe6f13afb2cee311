"""Small pictures made of text, for metadata that people would rather look at than read."""

from collections.abc import Iterable, Sequence
from typing import Any

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float]) -> str:
    """Return `values` as one line of blocks, the lowest the smallest."""
    if not values:
        return ""
    low, high = min(values), max(values)
    step = (high - low) or 1.0
    return "".join(BLOCKS[int((value - low) / step * (len(BLOCKS) - 1))] for value in values)


def bars(rows: Iterable[tuple[Any, float]], width: int = 24) -> str:
    """Return named values >= 0 as horizontal bars, in a Markdown code block."""
    rows = [(str(name), value) for name, value in rows]
    top = max((value for _, value in rows), default=0.0) or 1.0
    name_width = max((len(name) for name, _ in rows), default=0)
    lines = [f"{n:<{name_width}} {'█' * round(v / top * width):<{width}} {v:,.4g}" for n, v in rows]
    return "\n".join(["```", *lines, "```"])
