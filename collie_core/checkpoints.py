"""Checkpoints: what a training needs to go on as if it had never been stopped.

A checkpoint is one file, a zip that stores two members: `state.json`, in which a tensor is a name,
and `arrays.safetensors`. It holds numbers and texts, and no code.
"""

import json
import time
import warnings
import zipfile
from collections.abc import Mapping
from copy import deepcopy
from io import BufferedIOBase
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

from torch import Tensor

from collie_core.arrays import read_arrays, write_arrays
from collie_core.files import archive_members, new_archive

FORMAT = 1
STATE, ARRAYS = "state.json", "arrays.safetensors"
MAX_SHARE = 0.01  # of the time, which writing may take
UNFIT = (KeyError, TypeError, ValueError, RuntimeError, IndexError, AttributeError)


@runtime_checkable
class Stateful(Protocol):
    """Anything that can be put back to where it was."""

    def state_dict(self) -> Mapping[str, Any]:
        """Return where it is, in numbers, texts, tensors, and lists, tuples and dicts of them."""

    def load_state_dict(self, state: Mapping[str, Any]) -> Any:
        """Go back to what `state_dict` returned."""


class Checkpoint:
    """One file in which a training leaves its state, from time to time, to go on from there.

    Parameters
    ----------
    path : the file; replaced whole, so that a kill leaves the old one or the new one.
    key : names all that decides the training; the file of another is not used.
    every_seconds : time between two states; more where writing would take over a hundredth of the
        time. 0 writes one whenever it is asked, whatever that takes.
    """

    def __init__(self, path: Path, key: str = "", every_seconds: float = 30.0) -> None:
        self.path, self.key, self.every_seconds = path, key, every_seconds
        self._wait, self._last = every_seconds, time.monotonic()

    def resume(self, training: Stateful) -> bool:
        """Return whether `training` was put to the state in the file.

        A file that is damaged, or of another training, is left aside with a warning.
        """
        self._last = time.monotonic()
        if not self.path.exists():
            return False
        before = deepcopy(training.state_dict())
        try:
            training.load_state_dict(read_checkpoint(self.path, self.key))
        except UNFIT as error:
            training.load_state_dict(before)  # it may have been put half-way
            warnings.warn(
                f"training begins anew, for its checkpoint is unfit: {error}", stacklevel=2
            )
            return False
        return True

    def keep(self, training: Stateful) -> None:
        """Write the state of `training`, unless the last one was written a moment ago."""
        began = time.monotonic()
        if began - self._last < self._wait:
            return
        write_checkpoint(self.path, self.key, training.state_dict())
        self._last = time.monotonic()
        if self.every_seconds:
            self._wait = max(self.every_seconds, (self._last - began) / MAX_SHARE)


def write_checkpoint(path: Path, key: str, state: Mapping[str, Any]) -> None:
    """Write `state` to `path`, in the place of what was there.

    Raises
    ------
    TypeError
        If something in `state` is neither a number, a text, None, a tensor nor made of these.
    """
    arrays: dict[str, Tensor] = {}
    tree = _packed(state, arrays)
    with new_archive(path) as create:
        with create(ARRAYS) as file:
            digest = write_arrays(file, arrays)
        about = {"format": FORMAT, "key": key, "sha256": digest, "state": tree}
        with create(STATE) as file:
            file.write(json.dumps(about).encode())


def read_checkpoint(path: Path, key: str) -> Any:
    """Return the state in the file at `path`, whose key must be `key`.

    Raises
    ------
    ValueError
        If the file is damaged, of another format, or of another training.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive_members(archive, path.stat().st_size)
            about = json.loads(archive.read(STATE))
            with members[ARRAYS].opened() as file:
                arrays, digest = read_arrays(cast("BufferedIOBase", file), members[ARRAYS].size)
        if about["format"] != FORMAT or about["sha256"] != digest:
            raise ValueError("its format or its sha256 is another")
        if about["key"] != key:
            raise ValueError("it is of other settings, code or data")
        return _unpacked(about["state"], arrays)
    except (*UNFIT, zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise ValueError(f"{path}: {error}") from None


def _packed(state: Any, arrays: dict[str, Tensor]) -> Any:
    """Return `state` fit for JSON, with its tensors put among `arrays`."""
    if isinstance(state, Tensor):
        arrays[name := f"{len(arrays):06}"] = state
        return {"array": name}
    if isinstance(state, Mapping):  # whose keys may be numbers, as those of optimizers are
        return {"dict": [[key, _packed(value, arrays)] for key, value in state.items()]}
    if isinstance(state, (list, tuple)):
        parts = [_packed(each, arrays) for each in state]
        return {"tuple": parts} if isinstance(state, tuple) else parts
    if state is None or isinstance(state, (bool, int, float, str)):
        return state
    raise TypeError(
        f"{state!r:.99} is {type(state).__name__}, which a checkpoint cannot hold: leave it out of "
        "state_dict()"
    )


def _unpacked(tree: Any, arrays: Mapping[str, Tensor]) -> Any:
    if isinstance(tree, list):
        return [_unpacked(each, arrays) for each in tree]
    if not isinstance(tree, dict):
        return tree
    [(kind, content)] = tree.items()
    if kind == "array":
        return arrays[content]
    if kind == "dict":
        return {key: _unpacked(value, arrays) for key, value in content}
    return tuple(_unpacked(each, arrays) for each in content)
