"""One publication: an immutable set of tables in a folder of its own, under one manifest."""

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from collie_core.files import sha256
from collie_core.tables import lookup
from collie_pipeline.storage.sealed import read_sealed

MANIFEST, BUNDLE, RUN = "manifest.json", "champion.bundle", "run.json"
logger = logging.getLogger(__name__)
Filters = list[tuple[str, str, Any]]
HOME, COPY = "publications", "+"
DIGEST_LENGTH = 12
WAYS_OUT = "`collie rollback` lets the one before serve, `collie run --force` makes the week again"


class UnreadableError(ValueError):
    """A file is there that this user may not read: it is not damaged, and stays as it is."""


@contextmanager
def permitted() -> Iterator[None]:
    """Turn what the system refuses to this user into an error with the way out."""
    try:
        yield
    except PermissionError as error:
        raise UnreadableError(
            f"{error.filename} may not be read by user {os.geteuid()}, who must be allowed to "
            "read the folder and its files: `chmod -R a+rX` on publications does it for everybody"
        ) from None


@dataclass(frozen=True)
class Publication:
    """One published set of tables: its folder and its manifest."""

    path: Path
    manifest: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Name of the publication: its week and the beginning of its manifest's hash.

        It is the name of the folder but where a damaged one of the same content was in the way:
        that of the new one then ends in "+2".
        """
        return id_of(self.path.name)

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

    @property
    def parent(self) -> str | None:
        """Id of the publication that served before it was made, if one did."""
        parent = self.manifest.get("parent")
        return str(parent["id"]) if parent else None

    @property
    def run(self) -> Mapping[str, Any]:
        """What `run.json` says of the run that made it: {} where it is gone or damaged.

        It is held to a checksum of its own, as no two runs are alike.
        """
        try:
            return read_sealed(self.path / RUN)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            logger.warning("%s is not what was written, and not used: %s", self.path / RUN, error)
            return {}

    @property
    def tables(self) -> dict[str, Path]:
        """The tables' paths by name."""
        paths = (self.path / name for name in sorted(self.manifest["sha256"]))
        return {path.stem: path for path in paths if path.suffix == ".parquet"}

    def table(self, name: str) -> Path:
        """Return the path of a table, such as "users"."""
        return self.path / f"{name}.parquet"

    def read(
        self, name: str, columns: Sequence[str] | None = None, filters: Filters | None = None
    ) -> pd.DataFrame:
        """Return a table, or some columns of it, out of bytes that are what the manifest says.

        Parameters
        ----------
        filters : see `pandas.read_parquet`.

        Raises
        ------
        ValueError
            If they are not, or may not be read.
        """
        path = lookup("table", self.tables, name)
        with permitted():
            content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != self.manifest["sha256"][path.name]:
            raise ValueError(f"{path} differs from its sha256 in {MANIFEST}: {WAYS_OUT}")
        chosen = None if columns is None else [*columns]
        table: pd.DataFrame = pd.read_parquet(BytesIO(content), columns=chosen, filters=filters)
        return table

    def damaged(self) -> list[str]:
        """Return the names of the files that are gone, or not what the manifest says."""
        files: Mapping[str, str] = self.manifest["sha256"]
        with permitted():
            return [name for name, digest in files.items() if _digest(self.path / name) != digest]

    def is_whole(self) -> bool:
        """Return whether every file is what the manifest says."""
        return not self.damaged()

    def lacking(self) -> list[str]:
        """Return the names of the files that are gone or of another size: a look, no reading."""
        sizes: Mapping[str, int] = self.manifest.get("bytes", {})
        return [
            name
            for name in self.manifest["sha256"]
            if not (self.path / name).is_file()
            or (self.path / name).stat().st_size != sizes.get(name, _size(self.path / name))
        ]


def id_of(folder: str) -> str:
    """Return the id of the publication in a folder of that name."""
    return folder.partition(COPY)[0]


def digest_of(manifest: bytes) -> str:
    """Return what the id of a publication ends in: the beginning of its manifest's SHA-256."""
    return hashlib.sha256(manifest).hexdigest()[:DIGEST_LENGTH]


def read_publication(path: Path) -> Publication:
    """Return the publication in the folder `path`.

    Raises
    ------
    ValueError
        If its manifest cannot be read, or is not the one that its name promises.
    """
    try:
        with permitted():
            content = (path / MANIFEST).read_bytes()
        manifest = json.loads(content)
        if id_of(path.name) != f"{manifest['week']}-{digest_of(content)}":
            raise ValueError(f"{MANIFEST} has another sha256 than the folder's name")
    except UnreadableError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no publication ({error}): {WAYS_OUT}") from None
    return Publication(path, manifest)


def folders(root: Path) -> list[Path]:
    """Return the folders of publications under `root`, damaged ones too, by week and id."""
    return sorted(path for path in (root / HOME).glob("[0-9]*-*") if path.is_dir())


def publications(root: Path) -> list[Publication]:
    """Return all publications under `root` whose manifest can be read, by week and id."""
    return [each for path in folders(root) if (each := _readable(path)) is not None]


def find(root: Path, identity: str) -> Publication | None:
    """Return the publication of that id, the newest copy of it, or None if none can be read."""
    copies = [path for path in folders(root) if id_of(path.name) == identity]
    newest_first = sorted(copies, key=_copy_number, reverse=True)
    return next((each for path in newest_first if (each := _readable(path)) is not None), None)


def next_copy(path: Path) -> Path:
    """Return `path`, or if it is taken the name after the last copy's: +2, +3 and so on."""
    taken = [each for each in path.parent.glob(f"{path.name}*") if id_of(each.name) == path.name]
    last = max(map(_copy_number, taken), default=0)
    return path.with_name(f"{path.name}{COPY}{last + 1}") if last else path


def _copy_number(path: Path) -> int:
    number = path.name.partition(COPY)[2]
    return int(number) if number.isdecimal() else 1


def _readable(path: Path) -> Publication | None:
    try:
        return read_publication(path)
    except ValueError:
        return None


def _digest(path: Path) -> str | None:
    return sha256(path) if path.is_file() else None


def _size(path: Path) -> int:
    return path.stat().st_size
