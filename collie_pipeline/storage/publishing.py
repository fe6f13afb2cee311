"""Publications: immutable sets of tables, and the one pointer that says which of them serves."""

import hashlib
import json
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from collie_core.files import flush, replacing, sha256

MANIFEST, POINTER, BUNDLE = "manifest.json", "CURRENT", "champion.bundle"


@dataclass(frozen=True)
class Publication:
    """One published set of tables: its folder and its manifest."""

    path: Path
    manifest: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Name of the publication: its week and the beginning of its manifest's hash."""
        return self.path.name

    @property
    def week(self) -> str:
        """The newest week that its model knows."""
        return str(self.manifest["week"])

    @property
    def sha256(self) -> str:
        """Hash of the manifest, and so of every file."""
        return sha256(self.path / MANIFEST)

    @property
    def bundle(self) -> Path:
        """The bundle of the model that made the tables."""
        return self.path / BUNDLE

    def table(self, name: str) -> Path:
        """Return the path of a table, such as "users"."""
        return self.path / f"{name}.parquet"

    def is_whole(self) -> bool:
        """Return whether every file is what the manifest says."""
        files: Mapping[str, str] = self.manifest["sha256"]
        return all((self.path / n).exists() and sha256(self.path / n) == files[n] for n in files)


def read_publication(path: Path) -> Publication:
    """Return the publication in the folder `path`.

    Raises
    ------
    ValueError
        If its manifest cannot be read.
    """
    try:
        return Publication(path, json.loads((path / MANIFEST).read_bytes()))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is no publication ({error}): publish the week again") from None


def publications(root: Path) -> list[Publication]:
    """Return all publications under `root`, by week and id."""
    folders = sorted((root / "publications").glob(f"*/{MANIFEST}"))
    return [read_publication(folder.parent) for folder in folders if folder.parent.name[0] != "."]


def current(root: Path) -> Publication | None:
    """Return the publication that serves, or None before the first."""
    pointer = root / "publications" / POINTER
    if not pointer.exists():
        return None
    return read_publication(pointer.parent / pointer.read_text().strip())


def serving_before(root: Path, week: str) -> Publication | None:
    """Return what served before `week` was published, or None: the first such parent of today's.

    Following parents, and not the newest of all folders, makes a week that is made again have the
    very same publication before it.
    """
    serving = current(root)
    while serving is not None and serving.week >= week:
        parent = serving.manifest.get("parent") or {"id": ""}
        path = root / "publications" / str(parent["id"])
        serving = read_publication(path) if (path / MANIFEST).exists() else None
    return serving


def publish(
    root: Path, tables: Mapping[str, pd.DataFrame], bundle: Path, about: Mapping[str, Any]
) -> Publication:
    """Publish `tables`, and let them serve unless those of a later week do.

    The folder is staged, hashed and flushed first; then one rename of the pointer makes readers
    see all of the new tables at once. The same tables `about` the same inputs are the same
    publication, under the same id.

    Parameters
    ----------
    root : folder that holds `publications/`.
    tables : each becomes `<name>.parquet`.
    bundle : the model that made them, copied beside them.
    about : what the manifest says of them; has at least "week".
    """
    home = root / "publications"
    staged = home / f".{uuid.uuid4().hex}.tmp"
    staged.mkdir(parents=True)
    try:
        for name, table in tables.items():
            table.to_parquet(staged / f"{name}.parquet", index=False)
        shutil.copyfile(bundle, staged / BUNDLE)
        manifest = {**about, "sha256": {p.name: sha256(p) for p in sorted(staged.iterdir())}}
        text = json.dumps(manifest, indent=1, sort_keys=True, allow_nan=False)
        digest = hashlib.sha256(text.encode()).hexdigest()
        publication = Publication(home / f"{about['week']}-{digest[:12]}", manifest)
        (staged / MANIFEST).write_text(text)
        for file in (*staged.iterdir(), staged):
            flush(file)
        _take_place(staged, publication)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    _serve(home, publication)
    return publication


def _serve(home: Path, publication: Publication) -> None:
    serving = current(home.parent)
    if serving is None or serving.week <= publication.week:
        with replacing(home / POINTER) as pointer:
            pointer.write_text(publication.id)


def _take_place(staged: Path, publication: Publication) -> None:
    """Give the staged folder its name, unless a whole one of the same content is there."""
    if publication.path.exists():
        if publication.is_whole():
            return
        shutil.rmtree(publication.path)
    staged.rename(publication.path)
    flush(publication.path.parent)
