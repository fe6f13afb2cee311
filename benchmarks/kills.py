"""A thousand times kill -9: every writer, at every change it makes to a file, again and again.

    python benchmarks/kills.py [KILLS]

Prints a line a case and round, and exits with 1 if a reader found anything torn or a rerun did not
complete with the same bytes. See tests/faults/kill_sweep.py.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "faults"))

from kill_sweep import sweeps
from tracing import refuse_untraced


def main(wanted: int) -> int:
    """Sweep until there were `wanted` kills; return the exit code."""
    killed, failed = 0, []
    while killed < wanted:
        for case in sweeps(every=1):
            killed += case["killed"]
            failed += [f"{case['case']}: {each}" for each in case["failed"]]
            print(f"{killed:>6}  {case['case']:<32} {case['changes']}", flush=True)
    print(f"{killed} kills, {len(failed)} of them lost or tore something", *failed, sep="\n")
    return int(bool(failed))


if __name__ == "__main__":
    refuse_untraced()
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
