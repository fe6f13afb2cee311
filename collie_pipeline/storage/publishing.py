"""Publishing: tables staged, hashed and flushed, put in their place, and served by one flip."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from collie_core.files import flush, sha256
from collie_pipeline.storage.locks import locked
from collie_pipeline.storage.pointer import (
    LOCK,
    flip,
    is_due,
    may_serve,
    pointed,
    previous,
    read_history,
    served_next,
    week_of,
)
from collie_pipeline.storage.publication import (
    BUNDLE,
    HOME,
    MANIFEST,
    RUN,
    Publication,
    digest_of,
    find,
    folders,
    id_of,
    next_copy,
    read_publication,
)
from collie_pipeline.storage.sealed import write_sealed
from collie_pipeline.storage.staging import collect, staging, take_away


def publish(
    root: Path,
    tables: Mapping[str, pd.DataFrame],
    bundle: Path,
    about: Mapping[str, Any],
    run: Mapping[str, Any] | None = None,
) -> Publication:
    """Publish `tables`, and let them serve unless those of a later week do.

    The folder is staged, hashed and flushed first, and read again before it has its name; then one
    rename of the pointer makes readers see all of the new tables at once. The same tables `about`
    the same inputs are the same publication, under the same id; if it was rolled back, it does not
    serve again by itself.

    Parameters
    ----------
    root : folder that holds `publications/`.
    tables : each becomes `<name>.parquet`.
    bundle : the model that made them, copied beside them.
    about : what the manifest says of them; has at least "week".
    run : what is told of the run, in a file that is not hashed: no two runs are alike.

    Raises
    ------
    ValueError
        If a staged file is no longer what the manifest says; what served serves on.
    """
    collect(root)
    with staging(root) as staged:
        for name, table in tables.items():
            table.to_parquet(staged / f"{name}.parquet", index=False)
        shutil.copyfile(bundle, staged / BUNDLE)
        manifest = {**about, **_of_tables(tables), **of_files(staged)}
        return place(root, staged, manifest, run or {})


def place(
    root: Path, staged: Path, manifest: Mapping[str, Any], run: Mapping[str, Any]
) -> Publication:
    """Make a publication of the folder `staged`, and let it serve if it may; returns it."""
    identity = complete(staged, manifest, run)
    with locked(root / HOME / LOCK):
        publication = in_place(root, staged, identity)
        if may_serve(root, publication):
            _serve(root, publication)
        for each in folders(root):  # damaged ones of the same content, which nobody needs now
            if id_of(each.name) == publication.id and each != publication.path:
                take_away(each)
    return publication


def take_over(root: Path, publication: Publication) -> None:
    """Let `publication` serve if it was made to, and its process died before the flip."""
    if is_due(root, publication):
        with locked(root / HOME / LOCK):
            if is_due(root, publication):
                _serve(root, publication)


def rollback(root: Path, identity: str | None = None) -> Publication:
    """Let the publication serve that served before, or the one of that id, and return it.

    What it takes the place of is remembered as withdrawn, unless it is of an earlier week: made
    again from the same inputs, it does not serve by itself.

    Raises
    ------
    ValueError
        If there is none, or its files are not what its manifest says.
    """
    with locked(root / HOME / LOCK):
        chosen = previous(root) if identity is None else find(root, identity)
        if chosen is None:
            wanted = "nothing served before" if identity is None else f"no publication {identity}"
            raise ValueError(f"{wanted} in {root}: see `collie publications`")
        if damaged := chosen.damaged():
            raise ValueError(
                f"{chosen.id} is damaged ({', '.join(damaged)}), must be whole to serve: choose "
                "another of `collie publications`, or make its week again"
            )
        _withdraw_to(root, chosen)
    return chosen


def _withdraw_to(root: Path, chosen: Publication) -> None:
    history = read_history(root)
    try:
        name = pointed(root)
    except ValueError:  # there is nothing to remember of a pointer that names none
        name = None
    known = chosen.id in history.served
    above = history.served[history.served.index(chosen.id) + 1 :] if known else ()
    serving = () if name is None else (id_of(name),)
    left = [each for each in (*above, *serving) if week_of(each) >= chosen.week]
    withdrawn = dict.fromkeys([*history.withdrawn, *left])
    withdrawn.pop(chosen.id, None)
    kept = tuple(each for each in history.served if each not in above)
    flip(
        root, chosen, served_next(replace(history, served=kept, withdrawn=(*withdrawn,)), chosen.id)
    )


def _serve(root: Path, publication: Publication) -> None:
    flip(root, publication, served_next(read_history(root), publication.id))


def complete(staged: Path, manifest: Mapping[str, Any], run: Mapping[str, Any]) -> str:
    """Write the manifest and what is told of the run, flush all, and return the id."""
    text = json.dumps(manifest, indent=1, sort_keys=True, allow_nan=False)
    told = {"made": datetime.now(UTC).isoformat(timespec="seconds"), **run}
    (staged / MANIFEST).write_text(text)
    write_sealed(staged / RUN, told)
    for file in (*staged.iterdir(), staged):
        flush(file)
    return f"{manifest['week']}-{digest_of(text.encode())}"


def in_place(root: Path, staged: Path, identity: str) -> Publication:
    """Return the publication of that id: the whole one that is there, or else the staged folder.

    A damaged one of the same id may serve: it stays until the new one does.

    Raises
    ------
    ValueError
        If a staged file is not what its manifest says: then the folder gets no name.
    """
    there = find(root, identity)
    if there is not None and there.is_whole():
        return there
    _refuse_changed(staged, identity)
    path = next_copy(root / HOME / identity)
    staged.rename(path)
    flush(path.parent)
    return read_publication(path)


def _refuse_changed(staged: Path, identity: str) -> None:
    """Hold the files of `staged`, read again, to its manifest, and that to the id it gave."""
    manifest = (staged / MANIFEST).read_bytes()
    changed = [MANIFEST] if digest_of(manifest) != identity.rpartition("-")[2] else []
    changed = changed or Publication(staged, json.loads(manifest)).damaged()
    if changed:
        raise ValueError(
            f"{', '.join(changed)} of {identity} changed between writing and serving, must be as "
            "hashed: it was not published; check the disk, and use `collie run`"
        )


def _of_tables(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    return {
        "rows": {name: len(table) for name, table in tables.items()},
        "schema": {
            name: {str(column): str(kind) for column, kind in table.dtypes.items()}
            for name, table in tables.items()
        },
    }


def of_files(staged: Path) -> dict[str, Any]:
    """Return what a manifest says of the files in the folder `staged`, which has no others yet."""
    files = sorted(staged.iterdir())
    return {
        "sha256": {path.name: sha256(path) for path in files},
        "bytes": {path.name: path.stat().st_size for path in files},
    }
