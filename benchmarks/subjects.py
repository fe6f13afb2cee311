"""What is measured: on which data, beside whom, and how fast it has to be."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

MODELS = {
    "mlp": "MLPMatrixFactorizationModel",
    "neural": "NeuralCollaborativeFiltering",
    "deep_fm": "DeepFM",
    "nonlinear": "NonlinearMatrixFactorizationModel",
    "metric": "CollaborativeMetricLearningModel",
}
SMALL, LIKED, MIDDLE, ONE, FIVE = "ml-100k", "ml-100k-liked", "ml-1m-pairs", "zipf-1m", "zipf-5m"
ROWS = ("rows-1m", "rows-2m", "rows-5m", "rows-10m", "rows-20m")
Measure = Literal["cpu", "mib", "reach"]


@dataclass(frozen=True)
class Target:
    """How one side has to compare with another.

    Parameters
    ----------
    side : whose figure is divided by ours.
    least : what the quotient has to be; 0 asks for nothing, and only shows it.
    measure : CPU seconds, MiB, or seconds until the side's own best is reached in a race.
    beside : what the side is divided by, if not by ours.
    datasets : those on which it is asked; None is all.
    """

    side: str
    least: float = 0.0
    measure: Measure = "cpu"
    beside: str = "ours"
    datasets: tuple[str, ...] | None = None

    def least_on(self, dataset: str) -> float:
        """Return what is asked on a data set, 0 for nothing."""
        return self.least if self.datasets is None or dataset in self.datasets else 0.0


@dataclass(frozen=True)
class Subject:
    """One piece of work.

    Parameters
    ----------
    work : the function of a side, with its arguments after colons.
    datasets : what it is measured on.
    large : what it is measured on as well, if asked for: minutes for some peers.
    targets : the sides beside ours, and what is asked of ours.
    others : what a side does in place of `work`.
    threads : how many, whatever is asked for.
    rounds : how often, whatever is asked for; 0 is once, without a first time that does not count.
    growth : the exponent in rows that is allowed over its data sets, by "cpu" and "mib".
    """

    work: str
    datasets: tuple[str, ...]
    large: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)
    threads: int | None = None
    rounds: int | None = None
    growth: Mapping[Literal["cpu", "mib"], float] = field(default_factory=dict)

    def work_of(self, side: str) -> str:
        """Return the work of a side."""
        return self.others.get(side, self.work)

    def datasets_of(self, *, is_large: bool) -> tuple[str, ...]:
        """Return the data sets, with the large ones if asked."""
        return self.datasets + (self.large if is_large else ())

    @property
    def sides(self) -> list[str]:
        """All sides, ours first."""
        return list(dict.fromkeys(["ours", *(target.side for target in self.targets)]))


def _of(work: str, *datasets: str, large: tuple[str, ...] = (), **least: float) -> Subject:
    return Subject(work, datasets, large, _targets(least))


def _targets(least: Mapping[str, float]) -> tuple[Target, ...]:
    return tuple(Target(side, ratio) for side, ratio in least.items())


def _race(*datasets: str, seconds: int, large: tuple[str, ...] = ()) -> Subject:
    peers = {"original": 10.0, "lightfm": 1.0, "als": 0.0, "bpr": 0.0, "lenskit": 0.0}
    laps = {"lightfm": "30", "als": "30:als", "bpr": "100:bpr", "lenskit": "30"}
    where = {"lightfm": (MIDDLE,)}
    return Subject(
        f"race:{seconds}:100",
        datasets,
        large,
        targets=tuple(
            Target(side, least, "reach", datasets=where.get(side)) for side, least in peers.items()
        ),
        others={side: f"race:{seconds}:{last}" for side, last in laps.items()},
        threads=2,
        rounds=0,
    )


def _growth(work: str, rounds: int, **most: float) -> Subject:
    return Subject(work, ROWS, rounds=rounds, growth={"cpu": 1.05, **most})


SUBJECTS: Mapping[str, Subject] = {
    "construction": Subject(
        "construction",
        (ONE,),
        (FIVE,),
        (Target("original", 8), Target("original", 2, "mib")),
    ),
    "split": _of("split", SMALL, MIDDLE, large=(FIVE,), original=25),
    "loader": _of("loader", SMALL, MIDDLE, large=(FIVE,), original=12),
    "hdf5": Subject(
        "hdf5",
        (ONE,),
        (FIVE,),
        _targets({"original": 5, "bare": 1 / 2, "drawn": 1 / 2}),
        {"drawn": "hdf5:10"},  # with as many random items as the loader, which bare has none of
    ),
    "preparation": Subject(
        "preparation",
        (ONE,),
        (FIVE,),
        (Target("original", 3), Target("original", 2, "mib")),
        rounds=0,  # what a first round leaves behind would hide the memory of the next
    ),
    "epoch": _of("epoch", MIDDLE, original=8, spotlight=0),
    "epoch_approximate": _of("epoch:MatrixFactorizationModel:approximate", MIDDLE, original=1.5),
    **{f"epoch_{short}": _of(f"epoch:{name}", SMALL, original=3) for short, name in MODELS.items()},
    "lightning": Subject(
        "lightning:CollieTrainer",
        (SMALL,),
        (MIDDLE,),
        (
            Target("minimal", 1 / 1.05),
            Target("original"),
            Target("original_minimal", beside="original"),
        ),
        dict.fromkeys(("minimal", "original_minimal"), "lightning:CollieMinimalTrainer"),
    ),
    "evaluation": Subject(
        "evaluation",
        (MIDDLE,),
        targets=_targets({"original": 8, "rectools": 0, "rectools_lists": 0}),
        others={"rectools_lists": "lists"},
    ),
    "evaluation_mlp": _of(f"evaluation:{MODELS['mlp']}", MIDDLE, original=2.5),
    "time_to_quality": _race(LIKED, seconds=30, large=(SMALL,)),
    "time_to_quality_1m": _race(MIDDLE, seconds=60),
    "top_n": _of("top_n", "factors", implicit=1.3, bare=1 / 1.1),
    "item_knn": _of("baseline:ItemKNN", MIDDLE, implicit=1 / 1.2, lenskit=0),
    "ease": _of("baseline:EASE", MIDDLE, bare=1 / 1.2),
    "growth_build": _growth("construction", 1),
    "growth_split": _growth("split", 1),
    "growth_loader": _growth("loader", 1),
    "growth_hdf5": _growth("hdf5", 1),
    "growth_epoch": _growth("growing", 0, mib=0.05),
}


def chosen(names: Iterable[str]) -> Mapping[str, Subject]:
    """Return the subjects of these names, or all.

    Raises
    ------
    ValueError
        If one is unknown.
    """
    names = list(names)
    if unknown := sorted(set(names) - SUBJECTS.keys()):
        raise ValueError(f"subjects {unknown} are unknown: use some of {sorted(SUBJECTS)}")
    return {name: SUBJECTS[name] for name in names or SUBJECTS}
