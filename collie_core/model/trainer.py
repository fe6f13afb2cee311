"""Lightning's trainer, with the arguments that Collie documents."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytorch_lightning import LightningModule, Trainer

from collie_core.allocator import keep_freed_memory
from collie_core.model.base import BasePipeline
from collie_core.model.checkpoints import with_safe_checkpoints
from collie_core.model.old_arguments import translated

# what Lightning warns of, though nobody has to do anything about it
NEEDLESS = (
    ".*does not have many workers.*",  # a batch is made faster here than a worker could send it
    ".*LeafSpec.*",  # Lightning 2.6 asks torch's newer pytree in a way that it has deprecated
    ".*`tensorboardX` has been removed.*",  # without it, the default logger writes CSV
    "Checkpoint directory .* exists and is not empty.*",  # as each stage but the first finds it
)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Lightning from its needless warnings in the block."""
    with warnings.catch_warnings():
        for message in NEEDLESS:
            warnings.filterwarnings("ignore", message=message)
        yield


class CollieTrainer(Trainer):
    """Lightning's `Trainer` for a Collie model; see its documentation for all arguments.

    It trains on a GPU if there is one.

    Parameters
    ----------
    model : the model to train; without validation data, nothing is validated.
    max_epochs : epochs at which to stop; raise it and `fit` again to go on.
    benchmark, deterministic : see Lightning's `Trainer`.
    **kwargs : arguments of Lightning's `Trainer`; those it has dropped since Collie 1.1.2, such as
        `gpus`, are translated. Checkpoints are read without running what they hold, unless
        `plugins` has a `CheckpointIO`.

    Raises
    ------
    ValueError
        If an old argument is set that has no counterpart today; the message says what to do.
    """

    def __init__(
        self,
        model: BasePipeline,
        max_epochs: int = 10,
        benchmark: bool = True,
        deterministic: bool = True,
        **kwargs: Any,
    ) -> None:
        self._resumed_from = kwargs.pop("resume_from_checkpoint", None)
        # loaders share their batches among processes by themselves
        arguments: dict[str, Any] = {"use_distributed_sampler": False, **translated(kwargs)}
        if model.val_loader is None:
            # the reference puts validation off for ever, and with it checkpoints and early stopping
            arguments = {"num_sanity_val_steps": 0, "limit_val_batches": 0, **arguments}
        arguments["plugins"] = with_safe_checkpoints(arguments.get("plugins"))
        with quiet():
            super().__init__(
                max_epochs=max_epochs,
                # cuDNN heeds only one, and warns of both
                benchmark=benchmark and not deterministic,
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

    @property
    def disable_validation(self) -> bool:
        """Whether nothing is validated while training."""
        return not self.enable_validation

    @property
    def progress_bar_dict(self) -> dict[str, Any]:
        """The metrics that the progress bar shows."""
        return self.progress_bar_metrics

    @property
    def weights_save_path(self) -> str:
        """The folder of checkpoints."""
        return self.default_root_dir

    def fit(  # type: ignore[override] # the loader of training data has its old name
        self,
        model: LightningModule,
        train_dataloader: Any = None,
        val_dataloaders: Any = None,
        datamodule: Any = None,
        ckpt_path: Any = None,
        **kwargs: Any,
    ) -> None:
        """Train `model` until `max_epochs`; see Lightning's `Trainer.fit`."""
        keep_freed_memory()
        with quiet():
            super().fit(
                model,
                kwargs.pop("train_dataloaders", train_dataloader),
                val_dataloaders,
                datamodule,
                ckpt_path or self._resumed_from,
                **kwargs,
            )
