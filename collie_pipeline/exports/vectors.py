"""The target `vectors`: the champion's items and users as Parquet, for an index of neighbours."""

import json
import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from collie_core.files import flush, named, replacing, sha256
from collie_pipeline.exports.target import Held, Rows
from collie_pipeline.storage import Publication
from collie_pipeline.storage.staging import remove

if TYPE_CHECKING:
    from torch import Tensor

    from collie_core.vectors import IndexVectors

POINTER, ABOUT, RECORD = "CURRENT", "index.json", "index.json.sha256"
USERS, ID = "users.parquet", "id"
NONE = "no vectors: the model scores by what items have in common, not by vectors"


class VectorFolder:
    """Folders, one an export, and the file `CURRENT` that names the one to read.

    The one before stays for readers that have begun; earlier ones, and what killed ones left, go.
    """

    name: str = "vectors"

    def __init__(self, home: Path) -> None:
        self.home = home

    def put(self, publication: Publication) -> Rows:
        """See `Target`."""
        from collie_core.bundle import model_of, read_bundle
        from collie_core.vectors import index_vectors

        before = self._current()
        folder = self.home / f"{publication.id}-{uuid.uuid4().hex[:8]}"
        staged = self.home / f".{folder.name}.tmp"
        try:
            staged.mkdir(parents=True)
            bundle = read_bundle(publication.bundle)
            rows = _write(staged, publication, index_vectors(model_of(bundle)), bundle.ids)
            for path in (*staged.iterdir(), staged):
                flush(path)
            staged.rename(folder)
        except OSError as error:
            raise named(error, folder) from None
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        with replacing(self.home / POINTER) as pointer:
            pointer.write_text(folder.name)
        self._prune({folder, before})
        return rows

    def held(self) -> Held:
        """See `Target`; files that are not what `index.json` says are an error."""
        folder = self._current()
        if folder is None:
            raise ValueError(f"{self.home} holds no vectors: use `collie export`")
        try:
            if (folder / RECORD).read_text("utf-8") != _record(folder):
                raise ValueError(f"{ABOUT} differs from {RECORD}")
            said = json.loads((folder / ABOUT).read_bytes())
            names: Mapping[str, str] = said["sha256"]
            if wrong := [name for name in names if sha256(folder / name) != names[name]]:
                raise ValueError(f"{', '.join(wrong)} differs from its sha256")
            rows = {Path(name).stem: pq.read_metadata(folder / name).num_rows for name in names}
            return Held(str(said["publication"]), rows)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{folder} is damaged ({error}): use `collie export`") from None

    def rows_of(self, user_id: str) -> Rows:
        """See `Target`; by name of the folder."""
        counts = {
            path.parent.name: _ids(path).count(user_id)
            for path in sorted(self.home.glob(f"*/{USERS}"))
        }
        return {name: count for name, count in counts.items() if count}

    def forget(self, user_id: str) -> None:
        """See `Target`: whole folders go, as `index.json` has a hash of each file."""
        for name in self.rows_of(user_id):
            shutil.rmtree(self.home / name)

    def _current(self) -> Path | None:
        """Return the folder that the pointer names, None if there is none, or none by its side."""
        pointer = self.home / POINTER
        name = pointer.read_text("utf-8", "replace").strip() if pointer.exists() else ""
        return self.home / name if name and Path(name).name == name else None

    def _prune(self, kept: set[Path | None]) -> None:
        for path in self.home.iterdir():
            if path not in kept and (path.is_dir() or path.suffix == ".tmp"):
                remove(path)


def _write(
    folder: Path,
    publication: Publication,
    vectors: "IndexVectors | None",
    ids: Mapping[str, Sequence[str]],
) -> Rows:
    sides = {} if vectors is None else {"items": vectors.items, "users": vectors.users}
    present = {name: each for name, each in sides.items() if each is not None}
    for name, each in present.items():
        table = _table(ids[f"{name.removesuffix('s')}_id"], each)
        pq.write_table(table, folder / f"{name}.parquet")
    about: dict[str, Any] = {
        "publication": publication.id,
        "model": publication.manifest.get("model"),
        "metric": None if vectors is None else vectors.metric,
        "meaning": NONE if vectors is None else vectors.meaning,
        "dimensions": None if vectors is None else int(vectors.items.shape[1]),
        "sha256": {path.name: sha256(path) for path in sorted(folder.iterdir())},
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=1, sort_keys=True))
    (folder / RECORD).write_text(_record(folder))
    return {name: len(each) for name, each in present.items()}


def _record(folder: Path) -> str:
    """Return the hash of `index.json`, as `sha256sum --check` reads it."""
    return f"{sha256(folder / ABOUT)}  {ABOUT}\n"


def _table(ids: Sequence[str], vectors: "Tensor") -> pa.Table:
    """Return id and vector, a list of always the same length, of every row."""
    numbers = np.ascontiguousarray(vectors.numpy(), dtype=np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(numbers.ravel()), numbers.shape[1])
    return pa.table({ID: pa.array([str(each) for each in ids], pa.string()), "vector": column})


def _ids(path: Path) -> list[str]:
    ids: list[str] = pq.read_table(path, columns=[ID], partitioning=None)[ID].to_pylist()
    return ids
