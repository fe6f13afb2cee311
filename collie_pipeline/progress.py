"""How a run goes, for people: a line for every asset as it comes to be."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from collie_pipeline.text import harmless

WIDTH = 41  # of evaluation/nonlinear_matrix_factorization, nearly: longer names push their facts
BLOCKED = "Step blocked by limit for pool"  # Dagster has no kind of event for it


@dataclass
class Progress:
    """Prints a line for every asset of a run as it comes to be, and collects what went wrong."""

    week: str
    total: int
    console: Console
    status: Status
    only: Sequence[str]
    done: int = 0
    faults: list[str] = field(default_factory=list)
    failed_steps: list[str] = field(default_factory=list)

    def __call__(self, entry: dg.EventLogEntry, cursor: object = None) -> None:  # noqa: ARG002 - Dagster's
        """Show what an event says."""
        event = entry.dagster_event
        if event is None:
            return
        kind = event.event_type_value
        if kind == "STEP_START":
            self.status.update(f"{self.week}  {_name(event)} …")
        elif kind == "ENGINE_EVENT" and BLOCKED in str(event.message):
            self._waits(event)
        elif kind == "ASSET_MATERIALIZATION":
            self.done += 1
            self._print(event.step_materialization_data.materialization)
        elif kind == "ASSET_CHECK_EVALUATION":
            self._check(event.asset_check_evaluation_data)
        elif kind == "STEP_FAILURE":
            self.failed_steps.append(str(event.step_key))
            self.faults.extend(_causes(event))

    def _check(self, check: Any) -> None:
        name = f"{check.asset_key.to_user_string()}: check {check.check_name}"
        if check.passed:
            return
        if check.severity is dg.AssetCheckSeverity.WARN:
            said = f"{self.week}  {name} warns: {check.description}"
            self.console.print(
                escape(harmless(said)), style="yellow", highlight=False, soft_wrap=True
            )
        else:
            self.faults.append(f"{name} failed: {check.description}")

    def _waits(self, event: dg.DagsterEvent) -> None:
        pool = event.engine_event_data.metadata["pool"].value
        said = f"{self.week}  {_name(event)} waits: another run has the place in pool {pool}"
        self.console.print(said, style="yellow", highlight=False, soft_wrap=True)

    def _print(self, made: dg.AssetMaterialization) -> None:
        name = made.asset_key.to_user_string()
        if not self.only or name in self.only:
            line = f"{self.week} {self.done:>3}/{self.total}  {name:<{WIDTH}} {_facts(made)}"
            self.console.print(line.rstrip(), highlight=False, soft_wrap=True)


def _name(event: dg.DagsterEvent) -> str:
    """Return the key that a step makes."""
    return str(event.step_key).replace("__", "/")


def _facts(made: dg.AssetMaterialization) -> str:
    """Return what is worth a look in the metadata of an asset: its size, and one result."""
    values = {name: entry.value for name, entry in made.metadata.items()}
    rows, size = values.get("dagster/row_count"), values.get("bytes")
    facts = [f"{rows:>9,} rows" if isinstance(rows, int) else f"{int(str(size)) / 1024:>9,.0f} KiB"]
    if isinstance(score := values.get("mapk"), float):
        facts.append(f"MAP {score:.4f}")
    if isinstance(epochs := values.get("epochs"), int):
        facts.append(f"{epochs} epochs")
    if isinstance(done := values.get("resumed_after_epoch"), int):
        facts.append(f"resumed after epoch {done}")
    return "  ".join(facts)


def _causes(event: dg.DagsterEvent) -> list[str]:
    """Return why a step failed, without the layers that Dagster wraps around it."""
    error: Any = getattr(event.event_specific_data, "error", None)
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None or "DagsterAssetCheckFailedError" in error.message:
        return []
    return [f"{_name(event)}: {error.message.strip()}"]
