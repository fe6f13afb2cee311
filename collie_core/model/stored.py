"""Models to and from bundles, and what of them goes into a checkpoint."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, Self

from pytorch_lightning import LightningModule
from torch import Tensor

from collie_core.bundle import Bundle, save_bundle
from collie_core.model.blocks import restored
from collie_core.model.hyperparameters import rebuilt, storable
from collie_core.model.options import SharedOptions
from collie_core.model.scoring import Scoring


class Stored(Scoring):
    """The half of a model that is written and read: arrays, and the values that shape them."""

    options: SharedOptions
    options_type: ClassVar[type[SharedOptions]]

    @abstractmethod
    def _build(self, options: SharedOptions, own: Mapping[str, Any]) -> None:
        """Make the model that `options` and its own hyperparameters and parts describe."""

    def _restore(self, options: SharedOptions, bundle: Bundle, given: Mapping[str, Any]) -> None:
        if bundle.class_name != type(self).__name__:
            raise ValueError(
                f"the bundle holds a {bundle.class_name}, not a {type(self).__name__}: "
                f"load it with {bundle.class_name}(load_model_path=...)"
            )
        with restored():
            self._build(options, rebuilt(bundle.config, given))
        try:
            self.load_state_dict(bundle.tensors, assign=not self._has_tied_weights())
        except RuntimeError as error:
            raise ValueError(f"the bundle's arrays do not fit its config: {error}") from None
        self.eval()

    def _has_tied_weights(self) -> bool:
        """Return whether arrays share memory, as they go on doing only if they are copied into."""
        places = [value.data_ptr() for value in self.state_dict().values() if value.numel()]
        return len(places) > len(set(places))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep plain hyperparameters alone: torch loads no functions from a checkpoint."""
        checkpoint["hyper_parameters"] = self.config()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the epochs, and in the stage, of the checkpoint."""
        for name in {"num_epochs_completed", "stage"} & self.hparams.keys():
            self.hparams[name] = checkpoint["hyper_parameters"][name]

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: Any, *_: Any, **__: Any) -> Self:
        """Refuse: Lightning would run what a checkpoint from an address holds.

        Raises
        ------
        ValueError
            Always; the message says what to use.
        """
        raise ValueError(
            f"{checkpoint_path} is a checkpoint, which only a trainer goes on with: use "
            f"CollieTrainer(model).fit(model, ckpt_path=...), or save_model and "
            f"{cls.__name__}(load_model_path=...)"
        )

    def save_model(self, filename: str | Path = "model.pth") -> None:
        """Save the model as one file, or as a folder where `filename` has no suffix."""
        save_bundle(self, filename)

    def tensors(self) -> dict[str, Tensor]:
        """Return the arrays that a bundle keeps."""
        return {name: value.detach().cpu() for name, value in self.state_dict().items()}

    def config(self) -> dict[str, Any]:
        """Return the hyperparameters that a bundle keeps: all but the training options."""
        own = self.hparams.keys() - {field.name for field in fields(self.options)}
        return {name: storable(name, self.hparams[name]) for name in sorted(own)}

    @classmethod
    def from_tensors(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """Rebuild the model that gave `config` and `tensors`."""
        model = cls.__new__(cls)
        LightningModule.__init__(model)
        model.train_loader = model.val_loader = None
        model._restore(cls.options_type(), Bundle(cls.__name__, dict(config), dict(tensors)), {})
        return model
