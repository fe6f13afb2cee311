"""Ours beside its peers: ``make bench``, or ``make bench SUBJECT="split loader"``.

    python -m benchmarks [SUBJECT ...] [--runs 3] [--threads 1] [--large] [--only-ours]

All sides of a subject take turns, in processes of their own with as many threads. The table has
the median of CPU seconds, which other work on the machine disturbs least, and of the clock's.
"""

import argparse
import datetime
from pathlib import Path

from benchmarks.harness import alternated
from benchmarks.report import HEAD, Result, versions, write_json, write_svg
from benchmarks.subjects import SUBJECTS, chosen

RESULTS = Path(__file__).parent / "results"


def arguments() -> argparse.Namespace:
    """Return what was asked on the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"of {sorted(SUBJECTS)}")
    parser.add_argument("--runs", type=int, default=3, help="counted rounds; 0 counts the first")
    parser.add_argument("--threads", type=int, default=1, help="threads of each side")
    parser.add_argument("--large", action="store_true", help="also on the large sets")
    parser.add_argument("--only-ours", action="store_true", help="without the peers")
    return parser.parse_args()


def main() -> None:
    """Measure, print, and write JSON and a picture under `benchmarks/results`."""
    asked = arguments()
    results = []
    print(f"threads: {asked.threads}, runs: {asked.runs}\n{HEAD}")
    for name, subject in chosen(asked.subjects).items():
        sides = ["ours", *([] if asked.only_ours else subject.targets)]
        for dataset in (*subject.datasets, *(subject.large if asked.large else ())):
            works = {side: subject.work_of(side) for side in sides}
            taken = alternated(works, dataset, asked.runs, asked.threads)
            results.append(Result(name, subject, dataset, taken))
            print("\n".join(results[-1].lines()), flush=True)
    for side, found in versions(results).items():
        print(f"{side}: " + ", ".join(f"{name} {version}" for name, version in found.items()))
    RESULTS.mkdir(exist_ok=True)
    stem = f"{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%S}"
    write_json(results, RESULTS / f"{stem}.json", asked.threads)
    write_svg(results, RESULTS / f"{stem}.svg")
    print(f"written: {RESULTS / stem}.json and .svg")


if __name__ == "__main__":
    main()
