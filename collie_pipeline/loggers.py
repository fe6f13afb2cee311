"""Where a training can be watched: Lightning's loggers, each in a folder of its own."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

from pytorch_lightning.loggers import CSVLogger, Logger, MLFlowLogger, TensorBoardLogger

from collie_core.tables import lookup


def _csv(folder: Path, name: str) -> Logger:  # noqa: ARG001 - all loggers' signature
    return CSVLogger(folder.parent, name="", version=folder.name)


def _tensorboard(folder: Path, name: str) -> Logger:  # noqa: ARG001
    return TensorBoardLogger(folder.parent, name="", version=folder.name, default_hp_metric=False)


def _mlflow(folder: Path, name: str) -> Logger:
    folder.mkdir(parents=True)
    return MLFlowLogger(name, tracking_uri=f"sqlite:///{folder.resolve() / 'mlflow.db'}")


LOGGERS: Mapping[str, Callable[[Path, str], Logger]] = {
    "csv": _csv,
    "tensorboard": _tensorboard,
    "mlflow": _mlflow,
}
EXTRAS = ("tensorboard", "mlflow")  # which need a package of the same name


def make_loggers(names: Iterable[str], folder: Path, title: str) -> list[Logger]:
    """Return the loggers called `names`, each in a new folder of its name below `folder`.

    What an older training left there goes.

    Raises
    ------
    ValueError
        If a name is unknown, or the package of a logger is not installed.
    """
    makers = {name: lookup("logger", LOGGERS, name) for name in names}
    for name in makers:
        if name in EXTRAS and find_spec(name) is None:
            raise ValueError(
                f"training.loggers has {name!r}, which is not installed: "
                f"pip install 'collie-pipeline[{name}]', or take it out"
            )
    for name in makers:
        shutil.rmtree(folder / name, ignore_errors=True)
    return [make(folder / name, title) for name, make in makers.items()]
