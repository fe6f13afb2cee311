"""The results as one picture: bars of how we compare, curves of the races, lines of the growth."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path

from benchmarks.growth import growths
from benchmarks.verdicts import Result, Verdict

MET, MISSED, SHOWN = "#2a8f5c", "#d1602b", "#9aa3ad"
LINES = ("#1b6ca8", "#d1602b", "#2a8f5c", "#8a4fa3", "#b8860b", "#555555", "#c2407a")
WIDTH, LABELS, ROW = 940, 380, 20
AXIS = (0.1, 1000.0)  # of the bars
CHART = (330, 60, 560, 250)  # x, y, width and height of a chart's inside
Scale = Callable[[float], float]
Series = Mapping[str, Sequence[tuple[float, float]]]


def write_svg(results: Sequence[Result], path: Path) -> None:
    """Draw all that was measured."""
    parts, height = list[str](), 0
    for body, tall in _pictures(results):
        parts.append(f'<g transform="translate(0 {height})">\n{body}\n</g>')
        height += tall
    style = 'font-family="sans-serif" font-size="12"'
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>'
    background = f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
    path.write_text("\n".join([start, background, *parts, "</svg>\n"]))


def _pictures(results: Sequence[Result]) -> Iterator[tuple[str, int]]:
    """Yield each part of the picture with its height."""
    bars = [
        (f"{each.name}, {each.dataset}: {_name(verdict)}", verdict)
        for each in results
        for verdict in each.verdicts
    ]
    if bars:
        yield _bars(bars), ROW * len(bars) + 70
    tall = CHART[1] + CHART[3] + 60
    for each in results:
        raced = {
            side: [(wall, value) for _, wall, value in taken.curve[0]]
            for side, taken in each.taken.items()
            if taken.curve
        }
        if raced:
            yield _chart(f"{each.name}, {each.dataset}: MAP@10 by seconds of fitting", raced), tall
    grown = {
        f"{each.name} ~ rows^{each.exponent:.2f}": each.points
        for each in growths(results)
        if each.measure == "cpu" and len(each.points) > 1
    }
    if grown:
        yield _chart("CPU seconds of ours by rows", grown, is_log=True), tall


def _name(verdict: Verdict) -> str:
    target = verdict.target
    unit = {"cpu": "", "mib": " (memory)", "reach": ""}[target.measure]
    return target.side + unit + ("" if target.beside == "ours" else f" / {target.beside}")


def _text(x: float, y: float, text: str, anchor: str = "start", **more: str) -> str:
    extra = "".join(f' {name}="{value}"' for name, value in more.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(text)}</text>'


def _line(x: float, y: float, to_x: float, to_y: float, colour: str) -> str:
    return f'<path d="M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}" stroke="{colour}" fill="none"/>'


def _bars(bars: Sequence[tuple[str, Verdict]]) -> str:
    title = "A peer over ours, CPU seconds (time_to_quality: seconds): to the right, ours is ahead"
    key = "green: as asked, orange: missed, grey: nothing asked; the black mark is what is asked"
    bottom = 45 + ROW * len(bars)
    parts = [_text(10, 18, title, **{"font-weight": "bold"}), _text(10, 34, key)]
    for power in range(round(math.log10(AXIS[0])), round(math.log10(AXIS[1])) + 1):
        x = _place(10.0**power)
        parts += [_line(x, 42, x, bottom, "#dddddd" if power else "#888888")]
        parts += [_text(x, bottom + 15, f"{10.0**power:g}x", "middle")]
    parts += [_bar(45 + ROW * row, *bar) for row, bar in enumerate(bars)]
    return "\n".join(parts)


def _place(ratio: float) -> float:
    """Return where a quotient is on the logarithmic axis, at an end if it is beyond."""
    low, high = map(math.log, AXIS)
    at = math.log(min(max(ratio, AXIS[0]), AXIS[1]))
    return LABELS + (WIDTH - LABELS - 70) * (at - low) / (high - low)


def _bar(top: float, label: str, verdict: Verdict) -> str:
    colour = MISSED if verdict.is_missed else MET if verdict.asked else SHOWN
    start, end = sorted((_place(1.0), _place(verdict.middle)))
    middle = top + ROW / 2
    text = "never" if verdict.middle == 0 else f"{verdict.middle:.2f}"
    parts = [
        _text(LABELS - 10, middle + 4, label, "end"),
        f'<rect x="{start:.1f}" y="{top + 3}" width="{end - start:.1f}" height="{ROW - 6}" '
        f'fill="{colour}"/>',
        _line(_place(verdict.low), middle, _place(verdict.high), middle, "black"),
        _text(WIDTH - 10, middle + 4, text, "end"),
    ]
    if verdict.asked:
        mark = _place(verdict.asked)
        parts.append(_line(mark, top + 1, mark, top + ROW - 1, "black"))
    return "".join(parts)


def _chart(title: str, series: Series, *, is_log: bool = False) -> str:
    """Draw lines over a logarithmic x; the y is logarithmic too if asked."""
    left, top, width, height = CHART
    xs, ys = zip(*(point for points in series.values() for point in points), strict=True)
    x_of = _scale(xs, left, left + width, is_log=True)
    y_of = _scale(ys, top + height, top, is_log=is_log)
    parts = [_text(10, top - 24, title, **{"font-weight": "bold"})]
    for x in _powers(xs):
        parts.append(_line(x_of(x), top, x_of(x), top + height, "#dddddd"))
        label = f"{x / 1e6:g} M" if x >= 1e6 else f"{x:g}"
        parts.append(_text(x_of(x), top + height + 16, label, "middle"))
    for y in _powers(ys) if is_log else _steps(ys):
        parts.append(_line(left, y_of(y), left + width, y_of(y), "#dddddd"))
        parts.append(_text(left - 6, y_of(y) + 4, f"{y:g}", "end"))
    for row, (label, points) in enumerate(series.items()):
        colour = LINES[row % len(LINES)]
        places = [(x_of(x), y_of(y)) for x, y in points]
        parts += [_line(*here, *there, colour) for here, there in pairwise(places)]
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="{colour}"/>' for x, y in places]
        parts.append(_text(10, top + 18 * row + 8, label, fill=colour))
    return "\n".join(parts)


def _scale(values: Iterable[float], start: float, end: float, *, is_log: bool) -> Scale:
    """Return what places a value between `start` and `end`, as far as it is among `values`."""

    def position(value: float) -> float:
        return math.log(value) if is_log else value

    positions = [position(value) for value in values]
    low, high = min(positions), max(positions)
    span = (high - low) or 1.0
    return lambda value: start + (end - start) * (position(value) - low) / span


def _powers(values: Sequence[float]) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten among `values`."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    marks = [digit * 10.0**power for power in range(low, high + 1) for digit in (1, 2, 5)]
    return [each for each in marks if min(values) <= each <= max(values)]


def _steps(values: Sequence[float]) -> list[float]:
    """Return some round numbers among `values`, if they differ."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    power = 10.0 ** math.floor(math.log10(span))
    fine = power / (5 if span < 2 * power else 2 if span < 5 * power else 1)
    return [
        round(number * fine, 10) for number in range(math.ceil(low / fine), int(high / fine) + 1)
    ]
