"""Exporting what serves to every target that the settings name, one export at a time."""

import fcntl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from collie_pipeline.checking import Finding
from collie_pipeline.exports.duckdb_file import DuckDBFile
from collie_pipeline.exports.postgres import PostgresSchema
from collie_pipeline.exports.target import Rows, Target
from collie_pipeline.exports.vectors import VectorFolder
from collie_pipeline.settings import Settings
from collie_pipeline.storage import Publication, current
from collie_pipeline.storage.locks import EXPORTING


class NotServingError(ValueError):
    """A publication that does not serve is not exported."""


class ExportError(ValueError):
    """Some targets could not be written, and hold what they held; the others are done."""


@dataclass(frozen=True)
class Exported:
    """What was put where: the target's name, rows by table, and the seconds it took."""

    target: str
    publication: str
    rows: Rows
    seconds: float


def _duckdb(settings: Settings) -> Target | None:
    path = settings.exports.duckdb
    return None if path is None else DuckDBFile(path)


def _postgres(settings: Settings) -> Target | None:
    return PostgresSchema(settings.exports) if settings.exports.postgres else None


def _vectors(settings: Settings) -> Target | None:
    home = settings.root / "exports" / "vectors"
    return VectorFolder(home) if settings.exports.vectors else None


TARGETS: Mapping[str, Callable[[Settings], Target | None]] = {
    "duckdb": _duckdb,
    "postgres": _postgres,
    "vectors": _vectors,
}


def targets(settings: Settings) -> list[Target]:
    """Return the targets that `settings` name, none of which is touched yet.

    Raises
    ------
    ValueError
        If one needs a package that is not installed, or its URL is not of its kind.
    """
    made = (make(settings) for make in TARGETS.values())
    return [target for target in made if target is not None]


def export(publication: Publication, settings: Settings) -> list[Exported]:
    """Put `publication`, which serves, in the place of what each target holds.

    A target that fails holds what it held, and does not keep the others from being written. Another
    export waits for the end of this one, so that the last to write has what serves.

    Raises
    ------
    NotServingError
        If another publication serves: targets are never behind or ahead of the folder.
    ExportError
        If targets failed; the message says which, and why.
    """
    with _alone(settings.root):
        _refuse_unfit(publication, settings.root)
        done, faults = [], []
        for target in targets(settings):
            begin = time.perf_counter()
            try:
                rows = target.put(publication)
            except (ValueError, OSError) as error:
                faults.append(f"{target.name}: {error}")
            else:
                seconds = time.perf_counter() - begin
                done.append(Exported(target.name, publication.id, rows, seconds))
    if faults:
        raise ExportError(
            "\n".join([f"{publication.id} serves, but not from every export", *faults])
        )
    return done


def _refuse_unfit(publication: Publication, root: Path) -> None:
    serving = current(root)
    if serving is None or serving.id != publication.id:
        named = "nothing" if serving is None else serving.id
        raise NotServingError(
            f"{publication.id} does not serve, {named} does: let it serve before it is exported"
        )
    if not publication.is_whole():
        raise ValueError(f"{publication.path} is damaged: publish the week again with `collie run`")


def compared(done: list[Exported], settings: Settings) -> Finding:
    """Find whether each target, read back, holds the publication and the rows it was given."""
    by_name = {target.name: target for target in targets(settings)}
    faults, rows = [], 0
    for each in done:
        rows += sum(each.rows.values())
        try:
            held = by_name[each.target].held()
        except (ValueError, OSError) as error:
            faults.append(f"{each.target}: {error}")
            continue
        if (held.publication, dict(held.rows)) != (each.publication, dict(each.rows)):
            faults.append(f"{each.target} holds {held.publication} with {dict(held.rows)}")
    named = ", ".join(each.target for each in done) or "nothing"
    said = "; ".join(faults) if faults else f"read back, {named} is what was exported"
    return Finding(not faults, said, {"targets": len(done), "rows": rows})


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Wait for the end of other exports from `root`; a lock of the dead is given up by itself."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / EXPORTING).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
