"""Taking a user out of publications: each is made anew under its own new hash, and so a new id."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from collie_core.bundle import read_bundle
from collie_core.files import sha256
from collie_pipeline.erasing.bundles import erase_from_bundle
from collie_pipeline.erasing.tables import erase_rows
from collie_pipeline.erasing.who import Who
from collie_pipeline.provenance import ids_summary
from collie_pipeline.storage import Publication, publications, read_history
from collie_pipeline.storage.locks import locked
from collie_pipeline.storage.pointer import LOCK, History, point_at, pointed, write_history
from collie_pipeline.storage.publication import HOME, MANIFEST
from collie_pipeline.storage.publishing import complete, in_place, of_files
from collie_pipeline.storage.staging import staging, take_away
from collie_pipeline.verifying import faults

REPLACES = "replaces"  # in a manifest: ids that it stands for, which others may name as parent


def erase_from_publications(root: Path, who: Who) -> int:
    """Return in how many publications the user was, and now is not.

    Those that name a rewritten one as their parent are made anew too. Readers of an old folder lose
    it: that is what is asked for.

    Raises
    ------
    ValueError
        If one is damaged: what it holds of the user cannot be told. Or if the history of flips is.
    """
    read_history(root)  # it is to be written: an error before anything is
    if broken := [name for name, wrong in faults(root).items() if wrong]:
        raise ValueError(
            f"{', '.join(broken)} are damaged, what they hold of the user cannot be told: make "
            "them again with `collie run --week WEEK --force`, or remove these folders"
        )
    names = _successors(root)
    return sum(_made_anew(root, each, who, names) for each in publications(root))


def _successors(root: Path) -> dict[str, Publication]:
    """Return what stands for each publication that an erasure made anew, also one that was killed.

    Of one that was made anew twice it is the last: that is of all ids that the first was of.
    """
    found = sorted(publications(root), key=lambda each: len(_replaced(each)))
    return {name: each for each in found for name in _replaced(each)}


def _replaced(publication: Publication) -> list[str]:
    return list(publication.manifest.get(REPLACES, ()))


def _made_anew(root: Path, old: Publication, who: Who, names: dict[str, Publication]) -> int:
    """Make `old` anew if need be, enter its successor in `names` by id, and return its erased."""
    with staging(root) as staged:
        for name in old.manifest["sha256"]:
            shutil.copyfile(old.path / name, staged / name)
        paths = [staged / path.name for path in old.tables.values()]
        rows = [erase_rows(path, who) for path in paths]
        known = erase_from_bundle(staged / old.bundle.name, who)
        count = int(bool(sum(rows) or known))
        if not count and old.parent not in names:
            return 0
        manifest = _manifest(old, staged, count, names.get(old.parent or ""))
        identity = complete(staged, manifest, old.run)
        written = (old.path / MANIFEST).stat().st_mtime
        os.utime(staged / MANIFEST, (written, written))  # its age stays what it was
        with locked(root / HOME / LOCK):
            new = in_place(root, staged, identity)
            _succeed(root, old, new)
    names.update(dict.fromkeys(_replaced(new), new))
    return count


def _succeed(root: Path, old: Publication, new: Publication) -> None:
    """Put `new` wherever `old` is remembered or pointed at, and remove `old`."""
    write_history(root, _renamed(read_history(root), old.id, new.id))
    if pointed(root) == old.path.name:
        point_at(new)
    take_away(old.path)


def _renamed(history: History, old: str, new: str) -> History:
    names = {old: new}
    left = {names.get(each, each): when for each, when in history.left.items()}
    served, withdrawn = (
        tuple(names.get(each, each) for each in ids) for ids in (history.served, history.withdrawn)
    )
    return replace(history, served=served, withdrawn=withdrawn, left=left)


def _manifest(
    old: Publication, staged: Path, count: int, parent: Publication | None
) -> Mapping[str, Any]:
    """Return what the manifest of `old` says, of the files in `staged`."""
    bundle = staged / old.bundle.name
    manifest = {
        **old.manifest,
        "erased": int(old.manifest.get("erased", 0)) + count,
        REPLACES: [*_replaced(old), old.id],
        **of_files(staged),
        "rows": {path.stem: pq.read_metadata(path).num_rows for path in staged.glob("*.parquet")},
    }
    if count:
        known = {"sha256": sha256(bundle), "ids": ids_summary(read_bundle(bundle).ids)}
        manifest["bundle"] = {**old.manifest.get("bundle", {}), **known}
    if parent is not None:
        manifest["parent"] = {"id": parent.id, "sha256": parent.sha256}
    return manifest
