"""Ours beside its peers: ``make bench``, or ``make bench SUBJECT="split loader"``.

    python -m benchmarks [SUBJECT ...] [--runs 3] [--threads 1] [--large] [--only-ours]

All sides of a subject take turns, in processes of their own with as many threads. The table has
the median of CPU seconds, which other work on the machine disturbs least, and of the clock's.
See README.md beside this file.
"""

import argparse
import datetime
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.drawing import write_svg
from benchmarks.growth import growths
from benchmarks.harness import alternated
from benchmarks.report import HEAD, lines, versions, write_json
from benchmarks.subjects import SUBJECTS, Subject, chosen
from benchmarks.verdicts import Result

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


def measured(asked: argparse.Namespace) -> Iterator[Result]:
    """Yield the result of each subject on each of its data sets; say on stderr which is next."""
    todo = list(_todo(chosen(asked.subjects), is_large=asked.large))
    for done, (name, subject, dataset) in enumerate(todo, start=1):
        sides = subject.sides if not asked.only_ours else ["ours"]
        print(f"[{done}/{len(todo)}] {name}, {dataset}: {', '.join(sides)}", file=sys.stderr)
        works = {side: subject.work_of(side) for side in sides}
        rounds = asked.runs if subject.rounds is None else subject.rounds
        taken = alternated(works, dataset, rounds, subject.threads or asked.threads)
        yield Result(name, subject, dataset, taken)


def _todo(subjects: Mapping[str, Subject], *, is_large: bool) -> Iterator[tuple[str, Subject, str]]:
    for name, subject in subjects.items():
        for dataset in (*subject.datasets, *(subject.large if is_large else ())):
            yield name, subject, dataset


def main() -> None:
    """Measure, print, and write JSON and a picture under `benchmarks/results`."""
    asked, results = arguments(), list[Result]()
    RESULTS.mkdir(exist_ok=True)
    stem = f"{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%S}"
    print(f"threads: {asked.threads}, runs: {asked.runs}\n{HEAD}")
    for result in measured(asked):
        results.append(result)
        print("\n".join(lines(result)), flush=True)
        # each time anew, so that what is done is kept if the next one never ends
        write_json(results, RESULTS / f"{stem}.json", asked.threads)
        write_svg(results, RESULTS / f"{stem}.svg")
    for growth in growths(results):
        print(growth)
    for side, found in versions(results).items():
        print(f"{side}: " + ", ".join(f"{name} {version}" for name, version in found.items()))
    print(f"written: {RESULTS / stem}.json and .svg")


if __name__ == "__main__":
    main()
