"""How a search goes and what it found, for people: on the console."""

import os
from collections.abc import Iterator

from rich.box import SIMPLE
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from collie_pipeline.settings import CONFIG_FILE, PREFIX
from collie_pipeline.text import one_line
from collie_pipeline.tuning.outcome import Outcome, cell, ranked, said
from collie_pipeline.tuning.tried import Listener, Tried

BEST = 5  # candidates in the table, beside the present settings


class Shown(Listener):
    """Prints a line for each candidate, and below it how the next one does."""

    def __init__(self, console: Console, status: Status) -> None:
        self.console, self.status = console, status

    def epoch(self, number: int, step: int, value: float) -> None:
        """Show how a candidate does."""
        self.status.update(f"trial {number}: {value:.4f} in epoch {step + 1}")

    def ended(self, each: Tried, best: Tried) -> None:
        """Print what became of a candidate."""
        value = "" if each.value is None else f"{each.value:.4f}"
        line = f"trial {each.number:>3}  {each.state:<8}  {value:>6}  best {best.value:.4f}"
        more = each.reason or changes(each)
        style = "green" if each.number == best.number else None
        self.console.print(
            f"{line}  {escape(one_line(more))}", style=style, no_wrap=True, overflow="ellipsis"
        )


def changes(each: Tried) -> str:
    """Return in words what is other than now in the settings of a candidate."""
    words = [f"{name} {cell(value)}" for name, value in each.changed.items()]
    return ", ".join(words) or "as now"


def outcome_lines(found: Outcome) -> Iterator[RenderableType]:
    """Yield the best candidates, what they gain, and what to put into `collie.toml`."""
    yield best_table(found)
    yield said(found)
    if found.best.number:
        yield "The best of many is the luckiest, too: only the test says what it is worth."
        yield f"In {CONFIG_FILE}, in place of \\[models.{found.model}] if that is there:\n"
        yield escape(found.toml)
        if stronger := overruling(found):
            yield f"\nThe environment overrules it: unset {', '.join(stronger)}"


def best_table(found: Outcome) -> Table:
    """Return the best candidates, and the present settings, in the order of their values."""
    states = [each.state for each in found.tried]
    counts = ", ".join(f"{states.count(each)} {each}" for each in dict.fromkeys(states))
    title = f"{found.model} on validation, {counts}"
    made = Table("trial", title=title, title_justify="left", box=SIMPLE, padding=(0, 1))
    for heading in (found.label, "epochs", "seconds"):
        made.add_column(heading, justify="right")
    made.add_column("settings")
    for place, each in enumerate(ranked(found)):
        if place < BEST or not each.number:
            numbers = (f"{each.value:.4f}", str(each.epochs), f"{each.seconds:.1f}")
            style = "green" if each.number == found.best.number else None
            made.add_row(str(each.number), *numbers, escape(changes(each)), style=style)
    return made


def overruling(found: Outcome) -> list[str]:
    """Return the environment variables that would overrule the best settings."""
    first = f"{PREFIX}MODELS__{found.model}__".upper()
    ours = {first + name.upper() for name in found.best.settings}
    return sorted(name for name in os.environ if name.upper() in ours)
