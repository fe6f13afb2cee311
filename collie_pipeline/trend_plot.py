"""How models went week after week, as a drawing in SVG that needs nothing from elsewhere."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

Numbers = npt.NDArray[np.float64]
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 260, 52, 24, 8
# Okabe and Ito's colours, which the colour-blind can tell apart; beyond eight, lines are dashed.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d1f", "#7f7f7f")


def colour(number: int) -> str:
    """Return the colour of the line with this number."""
    return COLOURS[number % len(COLOURS)]


def trend_plot(by_week: pd.DataFrame) -> str:
    """Return one line a row of `by_week` over its columns, the weeks; NaN is a gap.

    The scale begins at 0. Names are escaped; each line says its name when it is pointed at.
    """
    values = by_week.to_numpy(dtype=np.float64)
    top = float(np.nanmax(values)) if np.isfinite(values).any() else 0.0
    top = top or 1.0
    across = np.linspace(LEFT + 8, WIDTH - 12, max(2, values.shape[1]))
    lines = [
        _line(str(name), number, across, HEIGHT - BOTTOM - row / top * (HEIGHT - BOTTOM - TOP))
        for number, (name, row) in enumerate(zip(by_week.index, values, strict=True))
    ]
    weeks = [str(week) for week in by_week.columns]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f"{_grid(top)}{_weeks(weeks, across)}{''.join(lines)}</svg>"
    )


def _line(name: str, number: int, across: Numbers, down: Numbers) -> str:
    """Return the points of one model, joined where they follow one another."""
    dash = ' stroke-dasharray="6 3"' if number >= len(COLOURS) else ""
    points = list(zip(across, down, strict=False))
    joined = [
        f'<line x1="{a:.1f}" y1="{b:.1f}" x2="{c:.1f}" y2="{d:.1f}"{dash}/>'
        for (a, b), (c, d) in pairwise(points)
        if np.isfinite(b) and np.isfinite(d)
    ]
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points if np.isfinite(y)]
    ink = colour(number)
    shapes = "".join([*joined, *dots])
    title = f"<title>{escape(name)}</title>"
    return f'<g stroke="{ink}" stroke-width="2" fill="{ink}">{title}{shapes}</g>'


def _grid(top: float) -> str:
    """Return four lines with their values."""
    rows = []
    for share in (0.0, 1 / 3, 2 / 3, 1.0):
        y = HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
        rows.append(
            f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share * top:.3f}</text>'
        )
    return "".join(rows)


def _weeks(weeks: Sequence[str], across: Numbers) -> str:
    """Return the names of the first, the middle and the last week."""
    places = sorted({0, len(weeks) // 2, len(weeks) - 1})
    anchors = {0: "start", len(weeks) - 1: "end"}
    return "".join(
        f'<text x="{across[place]:.1f}" y="{HEIGHT - 6}" '
        f'text-anchor="{anchors.get(place, "middle")}">{escape(weeks[place])}</text>'
        for place in places
    )
