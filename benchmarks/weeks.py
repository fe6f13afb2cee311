"""What weeks of the demo cost by the real commands, in a folder of their own.

    python -m benchmarks.weeks [WEEKS]

Makes WEEKS (12) weeks with whole windows by `collie backfill`, then one more, then one week anew
with the default models and with all of them. Prints the time, memory and disk of each.
"""

import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from subprocess import DEVNULL, Popen

from collie_pipeline.model_table import TABLE
from collie_pipeline.sources.demo_world import FIRST
from collie_pipeline.weeks import Week

WINDOW = 12
ALL = {"COLLIE_MODELS__NAMES": ",".join(dict.fromkeys(row.model for row in TABLE))}
COLLIE = Path(sys.executable).with_name("collie")


def main(number: int) -> None:
    """Print what `number` weeks take, one more, and one with each choice of models."""
    weeks = [FIRST]
    while len(weeks) < WINDOW + number:
        weeks.append(weeks[-1].next)
    first, last, one_more = weeks[WINDOW - 1], weeks[-2], weeks[-1]
    print(f"{'what':<28} {'seconds':>8} {'CPU s':>8} {'MiB':>6} {'disk MiB':>9}")
    with tempfile.TemporaryDirectory() as folder:
        weeks_told = f"{number} weeks, {WINDOW - 1} read before"
        show(weeks_told, Path(folder), len(weeks) - 1, "backfill", first, last)
        show("one more", Path(folder), len(weeks), "backfill", one_more, one_more)
    for told, names in (("one week, default models", {}), ("one week, all models", ALL)):
        with tempfile.TemporaryDirectory() as folder:
            show(told, Path(folder), WINDOW, "run", **names)


def show(
    told: str, folder: Path, demo_weeks: int, command: str, *weeks: Week, **variables: str
) -> None:
    """Run a command in `folder`, and print what it took and what lies there after it."""
    seconds, cpu, mib = taken(folder, demo_weeks, [command, *(w.key for w in weeks)], variables)
    disk = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20
    print(f"{told:<28} {seconds:8.1f} {cpu:8.1f} {mib:6.0f} {disk:9.0f}", flush=True)


def taken(
    folder: Path, demo_weeks: int, command: list[str], variables: Mapping[str, str]
) -> tuple[float, float, float]:
    """Return seconds of the clock and of CPU, and the most memory in MiB, of a command.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COLLIE_", "DAGSTER_"))}
    own = {
        "COLLIE_ROOT": str(folder / "data"),
        "DAGSTER_HOME": str(folder / "dagster_home"),
        "COLLIE_DEMO__WEEKS": str(demo_weeks),
    }
    began = time.monotonic()
    process = Popen([COLLIE, *command], cwd=folder, env=kept | own | variables, stdout=DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"collie {' '.join(command)} ended with {process.returncode}")
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)
