"""Lightning's trainer, with the arguments that Collie documents."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import TQDMProgressBar

from collie_core.model.base import BasePipeline


def _devices(gpus: Any) -> dict[str, Any]:
    if not gpus:
        return {"accelerator": "cpu"}
    return {"accelerator": "gpu", "devices": 1 if gpus is True else gpus}


def _progress_bar(refresh_rate: int | None) -> dict[str, Any]:
    if refresh_rate == 0:
        return {"enable_progress_bar": False}
    return {"callbacks": [TQDMProgressBar(refresh_rate=refresh_rate)]} if refresh_rate else {}


# arguments that Lightning has dropped, each with what takes its place today
OLD_ARGUMENTS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "gpus": _devices,
    "weights_summary": lambda summary: {"enable_model_summary": summary is not None},
    "progress_bar_refresh_rate": _progress_bar,
    "terminate_on_nan": lambda on: {"detect_anomaly": bool(on)},
    "flush_logs_every_n_steps": lambda _: {},  # loggers flush by themselves today
    "checkpoint_callback": lambda on: {"enable_checkpointing": bool(on)},
}


def translated(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return `arguments` in the words of today's Lightning."""
    today = {name: value for name, value in arguments.items() if name not in OLD_ARGUMENTS}
    for name, translate in OLD_ARGUMENTS.items():
        if name in arguments:
            for key, value in translate(arguments[name]).items():
                today[key] = [*today.get(key, []), *value] if key == "callbacks" else value
    return today


class CollieTrainer(Trainer):
    """Lightning's `Trainer` for a Collie model; see its documentation for all arguments.

    Parameters
    ----------
    model : the model to train; without validation data, nothing is validated.
    max_epochs : epochs at which to stop; raise it and `fit` again to go on.
    benchmark, deterministic : see Lightning's `Trainer`.
    **kwargs : arguments of Lightning's `Trainer`; those it has dropped since Collie 1.1.2 are
        translated (`OLD_ARGUMENTS`).
    """

    def __init__(
        self,
        model: BasePipeline,
        max_epochs: int = 10,
        benchmark: bool = True,
        deterministic: bool = True,
        **kwargs: Any,
    ) -> None:
        arguments = translated(kwargs)
        if model.val_loader is None:
            arguments = {"num_sanity_val_steps": 0, "limit_val_batches": 0, **arguments}
        super().__init__(
            max_epochs=max_epochs,
            benchmark=benchmark and not deterministic,  # cuDNN heeds only one, and warns of both
            deterministic=deterministic,
            **arguments,
        )

    @property
    def max_epochs(self) -> int | None:
        """The number of epochs, counted over all calls of `fit`, at which to stop."""
        return self.fit_loop.max_epochs

    @max_epochs.setter
    def max_epochs(self, value: int) -> None:
        self.fit_loop.max_epochs = value

    def fit(self, *args: Any, **kwargs: Any) -> None:
        """Train; see Lightning's `Trainer.fit`."""
        with warnings.catch_warnings():
            # a batch is made faster in this process than a worker could send it
            warnings.filterwarnings("ignore", message=".*does not have many workers.*")
            # Lightning 2.6 asks torch's newer pytree in a way that it has deprecated
            warnings.filterwarnings("ignore", message=".*LeafSpec.*", category=FutureWarning)
            super().fit(*args, **kwargs)
