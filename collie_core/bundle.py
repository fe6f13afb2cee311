"""Bundles: a saved model with all it needs to score, in files that hold no code.

A bundle is a folder, or one file (a zip that stores the same members) where the path has a suffix
such as `model.pth`. `config.json` names the class, its values and the SHA-256 of every other
member; `model.safetensors` holds the arrays and `ids.safetensors`, if given, the outside ids.
"""

import hashlib
import json
import shutil
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor

from collie_core import __version__
from collie_core.files import flush, replacing
from collie_core.scorer import Bundled
from collie_core.tables import lookup

FORMAT = 1
CONFIG, WEIGHTS, IDS = "config.json", "model.safetensors", "ids.safetensors"
CLASSES: Mapping[str, str] = {
    "ColdStartModel": "collie_core.model",
    "ItemKNN": "collie_core.baselines",
    "MatrixFactorizationModel": "collie_core.model",
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
    """Save `model` at `path`: the old bundle stays until the new one is whole on disk."""
    members = {WEIGHTS: save({k: v.contiguous() for k, v in model.tensors().items()})}
    if ids:
        members[IDS] = save(_encoded_ids(ids))
    config = {
        "format": FORMAT,
        "class": type(model).__name__,
        "config": model.config(),
        "versions": {"collie_core": __version__, "torch": torch.__version__},
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in members.items()},
    }
    members[CONFIG] = json.dumps(config, indent=1, sort_keys=True, allow_nan=False).encode()
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    (_write_file if path.suffix else _write_folder)(path, members)


def read_bundle(path: str | Path) -> Bundle:
    """Return what the bundle at `path` holds; nothing in it is executed.

    Raises
    ------
    FileNotFoundError
        If nothing is at `path`.
    ValueError
        If it is no bundle, was cut short, or a member is not what its SHA-256 says.
    """
    path = Path(path)
    members = _read_members(path)
    try:
        config = json.loads(members[CONFIG])
        digests = config["sha256"]
        class_name, values = config["class"], config["config"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no bundle ({CONFIG}: {error}): save the model again") from None
    for name, digest in digests.items():
        if hashlib.sha256(members.get(name, b"")).hexdigest() != digest:
            raise ValueError(f"{path}: {name} differs from its sha256: restore it or save it again")
    ids = _decoded_ids(load(members[IDS])) if IDS in digests else {}
    return Bundle(class_name, values, load(members[WEIGHTS]), ids)


def load_model(path: str | Path) -> Bundled:
    """Return the model saved at `path`, whatever its class."""
    return model_of(read_bundle(path))


def model_of(bundle: Bundle) -> Bundled:
    """Return the model that `bundle` holds."""
    module = import_module(lookup("bundle class", CLASSES, bundle.class_name))
    model: Bundled = getattr(module, bundle.class_name).from_tensors(bundle.config, bundle.tensors)
    return model


def _encoded_ids(ids: Mapping[str, Sequence[str]]) -> dict[str, Tensor]:
    encoded: dict[str, Tensor] = {}
    for name, values in ids.items():
        raw = [str(value).encode() for value in values]
        ends = np.cumsum([len(value) for value in raw], dtype=np.int64)
        text = np.frombuffer(b"".join(raw), dtype=np.uint8).copy()
        encoded |= {f"{name}.text": torch.from_numpy(text), f"{name}.ends": torch.from_numpy(ends)}
    return encoded


def _decoded_ids(tensors: Mapping[str, Tensor]) -> dict[str, list[str]]:
    ids = {}
    for name in sorted({key.rsplit(".", 1)[0] for key in tensors}):
        text = tensors[f"{name}.text"].numpy().tobytes()
        ends = [0, *tensors[f"{name}.ends"].tolist()]
        ids[name] = [text[a:b].decode() for a, b in pairwise(ends)]
    return ids


def _read_members(path: Path) -> dict[str, bytes]:
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()}
    if not path.exists():
        raise FileNotFoundError(f"no bundle at {path}: check the path, or save the model first")
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise ValueError(f"{path} is no bundle or was cut ({error}): save it again") from None


def _write_file(path: Path, members: Mapping[str, bytes]) -> None:
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in members.items():  # ZipInfo's fixed date: same bytes every time
            archive.writestr(zipfile.ZipInfo(name), content)


def _write_folder(path: Path, members: Mapping[str, bytes]) -> None:
    temporary = path.parent / f".{path.name}.{uuid.uuid4().hex}.tmp"
    replaced = temporary.with_suffix(".old")
    try:
        temporary.mkdir()
        for name, content in members.items():
            (temporary / name).write_bytes(content)
            flush(temporary / name)
        flush(temporary)
        if path.exists():
            path.rename(replaced)
        temporary.rename(path)
        flush(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)
