"""Ours beside its peers: ``make bench``, or ``make bench SUBJECT="split loader"``.

    python -m benchmarks [SUBJECT ...] [--data SET ...] [--runs 3] [--threads 1] [--large]
        [--only-ours] [--results FOLDER]

All sides of a subject take turns, in processes of their own with as many threads. The table has
the median of CPU seconds, which other work on the machine disturbs least, and of the clock's.
See README.md beside this file.
"""

import argparse
import datetime
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.drawing import write_svg
from benchmarks.growth import growths
from benchmarks.harness import alternated
from benchmarks.report import HEAD, lines, versions, write_json
from benchmarks.subjects import SUBJECTS, chosen
from benchmarks.verdicts import Result

RESULTS = Path(__file__).parent / "results"


def arguments() -> argparse.Namespace:
    """Return what was asked on the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"of {sorted(SUBJECTS)}")
    parser.add_argument("--data", nargs="+", default=(), help="in place of a subject's own sets")
    parser.add_argument("--runs", type=int, default=3, help="counted rounds; 0 counts the first")
    parser.add_argument("--threads", type=int, default=1, help="threads of each side")
    parser.add_argument("--large", action="store_true", help="also on the large sets")
    parser.add_argument("--only-ours", action="store_true", help="without the peers")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results are written")
    return parser.parse_args()


def measured(asked: argparse.Namespace) -> Iterator[Result]:
    """Yield the result of each subject on each of its data sets; say on stderr which is next."""
    todo = [
        (name, subject, dataset)
        for name, subject in chosen(asked.subjects).items()
        for dataset in asked.data or subject.datasets_of(is_large=asked.large)
    ]
    for done, (name, subject, dataset) in enumerate(todo, start=1):
        sides = subject.sides if not asked.only_ours else ["ours"]
        print(f"[{done}/{len(todo)}] {name}, {dataset}: {', '.join(sides)}", file=sys.stderr)
        works = {side: subject.work_of(side) for side in sides}
        rounds = asked.runs if subject.rounds is None else subject.rounds
        taken = alternated(works, dataset, rounds, subject.threads or asked.threads)
        yield Result(name, subject, dataset, taken)


def main() -> None:
    """Measure, print, and write JSON and a picture."""
    asked, results = arguments(), list[Result]()
    asked.results.mkdir(exist_ok=True, parents=True)
    stem = asked.results / f"{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%S}"
    print(f"threads: {asked.threads}, runs: {asked.runs}\n{HEAD}")
    for result in measured(asked):
        results.append(result)
        print("\n".join(lines(result)), flush=True)
        # each time anew, so that what is done is kept if the next one never ends
        write_json(results, stem.with_suffix(".json"), asked.threads)
        write_svg(results, stem.with_suffix(".svg"))
    for growth in growths(results):
        print(growth)
    for side, found in versions(results).items():
        print(f"{side}: " + ", ".join(f"{name} {version}" for name, version in found.items()))
    print(f"written: {stem}.json and .svg")


if __name__ == "__main__":
    main()
