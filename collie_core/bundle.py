"""Bundles: a saved model with all it needs to score, in files that hold no code.

A bundle is a folder, or one file (a zip that stores the same members) where the path has a suffix
such as `model.pth`. `config.json` names the class, its values and the SHA-256 of every other
member; `model.safetensors` holds the arrays and `ids.safetensors`, if given, the outside ids.
Members are written from the arrays and read into them: memory never holds a second copy.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from io import BufferedIOBase
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from collie_core import __version__
from collie_core.arrays import read_arrays, write_arrays
from collie_core.files import Member, archive_members, folder_members, new_archive, new_folder
from collie_core.scorer import Bundled
from collie_core.tables import lookup

FORMAT = 1
CONFIG, WEIGHTS, IDS = "config.json", "model.safetensors", "ids.safetensors"
CLASSES: Mapping[str, str] = {
    "ColdStartModel": "collie_core.model",
    "CollaborativeMetricLearningModel": "collie_core.model",
    "DeepFM": "collie_core.model",
    "EASE": "collie_core.baselines",
    "HybridModel": "collie_core.model",
    "HybridPretrainedModel": "collie_core.model",
    "ItemKNN": "collie_core.baselines",
    "MLPMatrixFactorizationModel": "collie_core.model",
    "MatrixFactorizationModel": "collie_core.model",
    "NeuralCollaborativeFiltering": "collie_core.model",
    "NonlinearMatrixFactorizationModel": "collie_core.model",
    "Popularity": "collie_core.baselines",
}


@dataclass(frozen=True)
class Bundle:
    """The content of a bundle; `ids` maps "user_id" and "item_id" to outside ids by number."""

    class_name: str
    config: dict[str, Any]
    tensors: dict[str, Tensor]
    ids: dict[str, list[str]] = field(default_factory=dict)


def save_bundle(
    model: Bundled, path: str | Path, ids: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Save `model` at `path`: the old bundle stays until the new one is whole on disk.

    Raises
    ------
    ValueError
        If `path` is a folder that is no bundle, a folder where its suffix asks for a file or the
        other way round, or a value of the model's config does not fit JSON.
    """
    path = Path(path)
    _check_place(path)
    arrays = {WEIGHTS: model.tensors()} | ({IDS: _encoded_ids(ids)} if ids else {})
    digests = {}
    with (new_archive if path.suffix else new_folder)(path) as create:
        for name, tensors in arrays.items():
            with create(name) as file:
                digests[name] = write_arrays(file, tensors)
        config = {
            "format": FORMAT,
            "class": type(model).__name__,
            "config": model.config(),
            "versions": {"collie_core": __version__, "torch": torch.__version__},
            "sha256": digests,
        }
        text = json.dumps(config, indent=1, sort_keys=True, allow_nan=False)
        with create(CONFIG) as file:
            file.write(text.encode())


def read_bundle(path: str | Path) -> Bundle:
    """Return what the bundle at `path` holds; nothing in it is executed.

    Raises
    ------
    FileNotFoundError
        If nothing is at `path`.
    ValueError
        If it is no bundle, was cut short, has a member too few or too many, or a member is not
        what its SHA-256 says.
    """
    path = Path(path)
    with _members(path) as members:
        config = _read_config(path, members)
        digests = config["sha256"]
        if strange := sorted(members.keys() - {CONFIG, *digests}):
            raise ValueError(f"{path} holds {strange}, which its {CONFIG} does not: remove them")
        arrays = {name: _read(path, name, members, digest) for name, digest in digests.items()}
    ids = _decoded_ids(path, arrays[IDS]) if IDS in arrays else {}
    return Bundle(config["class"], config["config"], arrays[WEIGHTS], ids)


def load_model(path: str | Path) -> Bundled:
    """Return the model saved at `path`, whatever its class."""
    return model_of(read_bundle(path))


def model_of(bundle: Bundle) -> Bundled:
    """Return the model that `bundle` holds."""
    module = import_module(lookup("bundle class", CLASSES, bundle.class_name))
    model: Bundled = getattr(module, bundle.class_name).from_tensors(bundle.config, bundle.tensors)
    return model


def _check_place(path: Path) -> None:
    """Refuse to put a bundle in the place of what is none."""
    if path.exists() and path.is_dir() == bool(path.suffix):
        ours = "one file" if path.suffix else "a folder, as there is no suffix"
        raise ValueError(f"{path} is there and is not {ours}: choose another path")
    if path.is_dir() and any(path.iterdir()) and not (path / CONFIG).exists():
        raise ValueError(f"{path} has files and is no bundle: choose another path, or empty it")


def _encoded_ids(ids: Mapping[str, Sequence[str]]) -> dict[str, Tensor]:
    encoded: dict[str, Tensor] = {}
    for name, values in ids.items():
        lengths = (len(str(value).encode()) for value in values)
        ends = np.cumsum(np.fromiter(lengths, np.int64, len(values)))
        text = bytearray("".join(map(str, values)).encode())
        encoded[f"{name}.text"] = torch.from_numpy(np.frombuffer(text, np.uint8))
        encoded[f"{name}.ends"] = torch.from_numpy(ends)
    return encoded


def _decoded_ids(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, list[str]]:
    ids = {}
    try:
        for name in sorted({key.rsplit(".", 1)[0] for key in tensors}):
            text = tensors[f"{name}.text"].numpy().tobytes()
            ends = [0, *tensors[f"{name}.ends"].tolist()]
            ids[name] = [text[a:b].decode() for a, b in pairwise(ends)]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {IDS} holds no ids ({error}): save the model again") from None
    return ids


@contextmanager
def _members(path: Path) -> Iterator[dict[str, Member]]:
    """Give the members of the bundle at `path`, which can be opened while the block lasts."""
    if path.is_dir():
        yield folder_members(path)
        return
    if not path.exists():
        raise FileNotFoundError(f"no bundle at {path}: check the path, or save the model first")
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive_members(archive, path.stat().st_size)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, UnicodeError) as error:
        raise ValueError(f"{path} is no bundle or was cut ({error}): save it again") from None


def _read_config(path: Path, members: Mapping[str, Member]) -> dict[str, Any]:
    """Return the content of the member that describes the others."""
    try:
        with members[CONFIG].opened() as file:
            config: dict[str, Any] = json.loads(file.read())
        version, digests = config["format"], config["sha256"]
        kinds = isinstance(config["class"], str), isinstance(config["config"], dict)
        if not all(kinds) or {WEIGHTS} != digests.keys() - {IDS}:
            raise ValueError("not the class, config and members of a bundle")
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no bundle ({CONFIG}: {error}): save the model again") from None
    if version != FORMAT:
        raise ValueError(
            f"{path} has format {version}, must be {FORMAT}: load it with the collie_core that "
            "saved it, or save the model again"
        )
    return config


def _read(path: Path, name: str, members: Mapping[str, Member], digest: str) -> dict[str, Tensor]:
    """Return the arrays of the member called `name`, whose SHA-256 must be `digest`."""
    if name not in members:
        raise ValueError(f"{path}: {name} is not there to match its sha256: restore it")
    try:
        with members[name].opened() as file:
            tensors, actual = read_arrays(cast("BufferedIOBase", file), members[name].size)
    except ValueError as error:
        raise ValueError(f"{path}: {name} is damaged, whatever its sha256: {error}") from None
    if actual != digest:
        raise ValueError(f"{path}: {name} differs from its sha256: restore it or save it again")
    return tensors
