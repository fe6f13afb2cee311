"""One side of a benchmark in an interpreter of its own: works each time it is told to.

    python benchmarks/worker.py SIDE_FILE WORK DATA_FILE

WORK is the name of a function of the side, with its arguments after colons: it prepares the data
and returns what is to be measured. Every line on standard
input does it once, and one line of JSON on standard output says what it took. It runs in the
peers' environments too, so it imports nothing that is not in the standard library.
"""

import importlib.util
import json
import os
import re
import sys
import time
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

STATUS, REFERENCES = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def memory_kib(name: str) -> int:
    """Return what the kernel calls VmRSS (now) or VmHWM (the most since the last reset)."""
    found = re.search(rf"{name}:\s+(\d+)", STATUS.read_text())
    return int(found.group(1)) if found else 0


def measured(work: Any) -> dict[str, Any]:
    """Return the seconds and the memory that one call of `work` takes.

    What it has to add, or to say otherwise, it returns in a dict.
    """
    REFERENCES.write_text("5")  # makes the peak start from now
    before, cpu, wall = memory_kib("VmRSS"), time.process_time(), time.perf_counter()
    answer = work()
    taken = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    taken["mib"] = (memory_kib("VmHWM") - before) / 1024
    return taken | (answer if isinstance(answer, dict) else {})


def versions() -> dict[str, str]:
    """Return the version of each distribution that this interpreter has."""
    return {each.metadata["Name"].lower(): each.version for each in distributions()}


def main() -> None:
    """Answer each line with the measurement of one run."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes elsewhere
    file, (function, *arguments), data = sys.argv[1], sys.argv[2].split(":"), sys.argv[3]
    sys.path.insert(0, str(Path(file).parent))
    spec = importlib.util.spec_from_file_location("side", file)
    side = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(side)  # type: ignore[union-attr]
    work = getattr(side, function)(Path(data), *arguments)
    print(json.dumps({"versions": versions()}), file=answers, flush=True)
    for _ in sys.stdin:
        print(json.dumps(measured(work)), file=answers, flush=True)


if __name__ == "__main__":
    main()
