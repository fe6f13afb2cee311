"""Curves of a training as a picture: SVG, which every browser shows and no library has to draw."""

from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite

WIDTH, HEIGHT = 640, 200  # of a panel
LEFT, TOP, RIGHT, BOTTOM = 80, 34, 20, 30  # around its plot
STYLE = "font:12px sans-serif;background:#fff"


def curves(named: Mapping[str, Sequence[float]], best: int, title: str) -> str:
    """Return an SVG picture of numbers by epoch, from 1: a panel for each, one below the other.

    Parameters
    ----------
    named : the numbers of each panel, by its heading.
    best : the epoch to mark.
    title : what the picture shows.
    """
    panels = [
        f'<g transform="translate(0 {number * HEIGHT})">{_panel(name, values, best)}</g>'
        for number, (name, values) in enumerate(named.items())
    ]
    size = f'width="{WIDTH}" height="{HEIGHT * len(panels)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} style="{STYLE}">'
    return "\n".join([head, f"<title>{escape(title)}</title>", *panels, "</svg>", ""])


def _panel(name: str, values: Sequence[float], best: int) -> str:
    known = [value for value in values if isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x(epoch: int) -> float:
        return LEFT + (epoch - 1) / max(1, len(values) - 1) * (right - LEFT)

    def y(value: float) -> float:
        return bottom - (value - low) / ((high - low) or 1.0) * (bottom - TOP)

    points = " ".join(
        f"{x(epoch):.1f},{y(value):.1f}" for epoch, value in enumerate(values, 1) if isfinite(value)
    )
    texts = [
        (LEFT, TOP - 14, "start", name),
        (LEFT - 6, y(high) + 4, "end", f"{high:.4g}"),
        (LEFT - 6, bottom + 4, "end", f"{low:.4g}"),
        (LEFT, bottom + 18, "middle", "1"),
        (right, bottom + 18, "end", f"{len(values)} epochs"),
        (x(best) + 4, TOP, "start", f"kept: {best}"),
    ]
    lines = [
        f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="#888"/>',
        f'<path d="M{x(best):.1f} {TOP}V{bottom}" stroke="#c60" stroke-dasharray="4"/>',
        f'<polyline points="{points}" fill="none" stroke="#06c" stroke-width="2"/>',
    ]
    return "".join([*lines, *(_text(*each) for each in texts)])


def _text(x: float, y: float, anchor: str, said: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'
