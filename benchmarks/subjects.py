"""What is measured: on which data, beside whom, and how fast it has to be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MODELS = {
    "mlp": "MLPMatrixFactorizationModel",
    "neural": "NeuralCollaborativeFiltering",
    "deep_fm": "DeepFM",
    "nonlinear": "NonlinearMatrixFactorizationModel",
    "metric": "CollaborativeMetricLearningModel",
}
SMALL, MIDDLE, ONE, FIVE = "ml-100k", "ml-1m-pairs", "zipf-1m", "zipf-5m"


@dataclass(frozen=True)
class Subject:
    """One piece of work.

    Parameters
    ----------
    work : the function of a side, with its arguments after colons.
    datasets : what it is measured on.
    large : what it is measured on as well, if asked for: minutes for some peers.
    targets : the side it is compared with, and the least that side's seconds over ours.
    others : what a side does in place of `work`.
    """

    work: str
    datasets: tuple[str, ...]
    large: tuple[str, ...] = ()
    targets: Mapping[str, float] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)

    def work_of(self, side: str) -> str:
        """Return the work of a side."""
        return self.others.get(side, self.work)


def _of(work: str, *datasets: str, large: tuple[str, ...] = (), **targets: float) -> Subject:
    return Subject(work, datasets, large, targets)


SUBJECTS: Mapping[str, Subject] = {
    "construction": _of("construction", ONE, large=(FIVE,), original=8),
    "split": _of("split", SMALL, MIDDLE, large=(FIVE,), original=25),
    "loader": _of("loader", SMALL, MIDDLE, large=(FIVE,), original=12),
    "hdf5": _of("hdf5", ONE, large=(FIVE,), original=5, bare=1 / 2),
    "epoch": _of("epoch", MIDDLE, original=8),
    "epoch_approximate": _of("epoch:MatrixFactorizationModel:approximate", MIDDLE, original=1.5),
    **{f"epoch_{short}": _of(f"epoch:{name}", SMALL, original=3) for short, name in MODELS.items()},
    "evaluation": _of("evaluation", MIDDLE, original=8),
    "evaluation_mlp": _of(f"evaluation:{MODELS['mlp']}", MIDDLE, original=2.5),
    "quality": Subject(
        "quality:10",
        (SMALL,),
        targets={"original": 10, "lightfm": 1, "als": 0, "bpr": 0},
        others={
            "original": "quality:6:approximate",
            "lightfm": "quality:20",
            "als": "quality:als",
            "bpr": "quality:bpr",
        },
    ),
    "top_n": _of("top_n", "factors", implicit=1.3, bare=1 / 1.1),
    "item_knn": _of("baseline:ItemKNN", MIDDLE, implicit=1 / 1.2),
    "ease": _of("baseline:EASE", MIDDLE, bare=1 / 1.2),
}


def chosen(names: list[str]) -> Mapping[str, Any]:
    """Return the subjects of these names, or all.

    Raises
    ------
    ValueError
        If one is unknown.
    """
    if unknown := sorted(set(names) - SUBJECTS.keys()):
        raise ValueError(f"subjects {unknown} are unknown: use some of {sorted(SUBJECTS)}")
    return {name: SUBJECTS[name] for name in names or SUBJECTS}
