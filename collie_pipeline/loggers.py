"""Where a training can be watched: Lightning's loggers, in files below the project's folder."""

import os
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import CSVLogger, Logger, MLFlowLogger, TensorBoardLogger

from collie_core.tables import lookup

MLFLOW_SERVER = os.environ.get("MLFLOW_TRACKING_URI")  # which MLflow sets to what it last used


def _csv(logs: Path, name: str, week: str) -> Logger:
    return CSVLogger(_emptied(logs / name / week / "csv"), name="", version="")


def _tensorboard(logs: Path, name: str, week: str) -> Logger:
    folder = _emptied(logs / name / week / "tensorboard")
    return TensorBoardLogger(folder, name="", version="", default_hp_metric=False)


def _mlflow(logs: Path, name: str, week: str) -> Logger:
    """Return the logger of a run called as the week, in the experiment called as the model.

    All are in one database, or on the server that MLFLOW_TRACKING_URI names, as MLflow's page
    compares runs of one place alone.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # with its password
    from mlflow import MlflowClient

    logs.mkdir(parents=True, exist_ok=True)
    place = MLFLOW_SERVER or f"sqlite:///{logs.resolve() / 'mlflow.db'}"
    with warnings.catch_warnings():
        # MLflow 3.17 asks SQLAlchemy 2.1 for a strategy that it has deprecated
        warnings.filterwarnings("ignore", message=".*noload.*")
        files = (logs.resolve() / "mlflow").as_uri()
        logger = _Unsaid(name, week, tracking_uri=place, artifact_location=files)
        client = MlflowClient(place)
        with _server_unsaid():
            if (experiment := client.get_experiment_by_name(name)) is not None:
                same = f"attributes.run_name = '{week}'"
                for run in client.search_runs([experiment.experiment_id], same):
                    client.delete_run(run.info.run_id)
    return logger


class _Unsaid(MLFlowLogger):
    """Lightning's, whose errors do not repeat where the server is."""

    def log_hyperparams(self, *values: Any, **named: Any) -> None:
        with _server_unsaid():
            super().log_hyperparams(*values, **named)

    def log_metrics(self, *values: Any, **named: Any) -> None:
        with _server_unsaid():
            super().log_metrics(*values, **named)

    def finalize(self, *values: Any, **named: Any) -> None:
        with _server_unsaid():
            super().finalize(*values, **named)


@contextmanager
def _server_unsaid() -> Iterator[None]:
    """Say what a server fails with, and not its address, which may have a password."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if MLFLOW_SERVER is None:
            raise
        raise ValueError(
            f"the server that MLFLOW_TRACKING_URI names failed ({error.error_code}): see whether "
            "it is there and lets you in, or take 'mlflow' out of training.loggers"
        ) from None


LOGGERS: Mapping[str, Callable[[Path, str, str], Logger]] = {
    "csv": _csv,
    "tensorboard": _tensorboard,
    "mlflow": _mlflow,
}
EXTRAS = ("tensorboard", "mlflow")  # which need a package of the same name


def make_loggers(names: Iterable[str], logs: Path, name: str, week: str) -> list[Logger]:
    """Return the loggers called `names` of the training of `name` in `week`.

    What an older training of that week left with them goes.

    Parameters
    ----------
    names : of `LOGGERS`.
    logs : folder of all logs.
    name, week : what is trained, and when.

    Raises
    ------
    ValueError
        If a name is unknown, or the package of a logger is not installed.
    """
    makers = {each: lookup("logger", LOGGERS, each) for each in names}
    for each in makers:
        if each in EXTRAS and find_spec(each) is None:
            raise ValueError(
                f"training.loggers has {each!r}, which is not installed: "
                f"pip install 'collie-pipeline[{each}]', or take it out"
            )
    return [make(logs, name, week) for make in makers.values()]


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder
