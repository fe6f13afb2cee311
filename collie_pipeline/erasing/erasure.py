"""One erasure, from first to last; one that was cut short is finished by doing it again."""

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from collie_pipeline.dead_runs import close_dead_runs
from collie_pipeline.erased import remember
from collie_pipeline.erasing.bundles import erase_from_bundle
from collie_pipeline.erasing.dagster_storage import erase_from_databases, erase_from_texts
from collie_pipeline.erasing.exported import export_again, search_targets
from collie_pipeline.erasing.publications import erase_from_publications
from collie_pipeline.erasing.searching import KINDS, search
from collie_pipeline.erasing.tables import erase_encoded, erase_rows
from collie_pipeline.erasing.who import Who
from collie_pipeline.project import Project
from collie_pipeline.storage import collect
from collie_pipeline.storage.publication import HOME
from collie_pipeline.storage.staging import remove

EXPORTS, RESUMED = "exports", "checkpoints"
Eraser = Callable[[Project, str], None]
ONE_BY_ONE: Mapping[str, Callable[[Path, Who], int]] = {
    ".parquet": erase_rows,
    ".h5": erase_encoded,
    ".bundle": erase_from_bundle,
}


ERASERS: list[Eraser] = [export_again]  # what else holds users: each takes one out, or raises


class ErasureError(ValueError):
    """Something still tells of the user; the message says what."""


@dataclass(frozen=True)
class Erasure:
    """Where the user was found: in which files, and in which tables of the targets of exports."""

    found: Mapping[Path, str]
    exported: Mapping[str, str]


def erase_user(project: Project, home: Path, user_id: str, dry_run: bool = False) -> Erasure:
    """Erase a user from all that is under `project.root` and `home`, and search for what is left.

    So it does in the targets of exports that the settings name. The source is not ours to change:
    its rows of the user are dropped from now on.

    Parameters
    ----------
    project : the pipeline.
    home : DAGSTER_HOME, with its runs and events in SQLite files.
    user_id : as the tables have it.
    dry_run : only search.

    Raises
    ------
    ValueError
        If a run is at work, a publication is damaged, or a target of exports cannot be searched.
    ErasureError
        If the search still finds the user.
    """
    who, root = Who(user_id), project.root
    folders = [folder for folder in (root, home) if folder.exists()]
    found = Erasure(search(folders, who), search_targets(project, user_id))
    if dry_run:
        return found
    _refuse_running()
    who = Who(user_id, remember(root, user_id).tombstone_of(user_id))
    forget_unfinished(root)
    erase_from_publications(root, who)
    for path in _files(root):
        _erase_from(path, who)
    for eraser in ERASERS:
        eraser(project, user_id)
    erase_from_texts([*_texts(root), *_texts(home)], who)
    for folder in folders:
        erase_from_databases(folder, who)
    _refuse_left({**_kept(search(folders, who), root), **search_targets(project, user_id)})
    return found


def _refuse_running() -> None:
    """Refuse while a run is at work, which holds users in its memory and would write them again."""
    with dg.DagsterInstance.get() as instance:
        close_dead_runs(instance)
        unfinished = [run for run in instance.get_runs() if not run.is_finished]
    if unfinished:
        ids = ", ".join(run.run_id for run in unfinished)
        raise ValueError(f"runs are at work ({ids}): erase when they are done")


def _erase_from(path: Path, who: Who) -> None:
    if path.suffix in ONE_BY_ONE:
        with suppress(ValueError, OSError):  # what cannot be read is named by the search
            ONE_BY_ONE[path.suffix](path, who)


def forget_unfinished(root: Path) -> None:
    """Remove what runs left half done: temporary files, and trainings that could be resumed."""
    collect(root)
    for pattern in ("**/.*.tmp", "**/.*.old"):
        for path in [each for each in root.glob(pattern) if each.parent.name != HOME]:
            remove(path)
    shutil.rmtree(root / RESUMED, ignore_errors=True)


def _files(root: Path) -> list[Path]:
    """Return our files, but publications, which are made anew as a whole, and exports."""
    apart = {root / HOME, root / EXPORTS}
    paths = (each for each in root.rglob("*") if each.is_file())
    return sorted(path for path in paths if apart.isdisjoint(path.parents))


def _texts(folder: Path) -> list[Path]:
    return [path for path in _files(folder) if path.suffix not in KINDS]


def _kept(left: Mapping[Path, str], root: Path) -> dict[str, str]:
    """Return what is left but for exported files, which go: they can be made again."""
    exported = [path for path in left if root / EXPORTS in path.parents]
    for path in exported:
        path.unlink()
    return {str(path): said for path, said in left.items() if path not in exported}


def _refuse_left(left: Mapping[str, str]) -> None:
    if left:
        named = "; ".join(f"{place} ({said})" for place, said in left.items())
        raise ErasureError(f"the user is still in {named}: remove these, or erase again")
