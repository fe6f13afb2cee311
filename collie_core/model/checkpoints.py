"""Lightning's checkpoints, read as numbers and text: they are pickles, and may hold code."""

import pickle
from typing import Any

from pytorch_lightning.plugins.io import CheckpointIO, TorchCheckpointIO


class SafeCheckpointIO(TorchCheckpointIO):
    """Saves checkpoints as Lightning does, and loads nothing of them but data."""

    def load_checkpoint(self, path: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return what the checkpoint at `path`, a file or an address, holds.

        Raises
        ------
        ValueError
            If it is no checkpoint, or holds what is neither numbers nor text.
        """
        kwargs["weights_only"] = True  # by itself Lightning runs what comes from an address
        try:
            loaded: dict[str, Any] = super().load_checkpoint(path, *args, **kwargs)
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            raise ValueError(
                f"{path} is no checkpoint, or has more than numbers and text: save it again with "
                "CollieTrainer, or pass a CheckpointIO of yours as `plugins` if you trust it"
            ) from error
        return loaded


def with_safe_checkpoints(plugins: Any) -> list[Any]:
    """Return Lightning's `plugins`, one or several, and ours unless they read checkpoints."""
    given = list(plugins) if isinstance(plugins, list | tuple) else [plugins]
    given = [each for each in given if each is not None]
    own = any(isinstance(each, CheckpointIO) for each in given)
    return given if own else [*given, SafeCheckpointIO()]
