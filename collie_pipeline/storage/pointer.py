"""Which publication serves: the pointer that readers follow, and what is remembered of flips.

`CURRENT` holds the name of the folder that serves, and is replaced by one rename. `history.json`
holds the ids that served, the last on top, and those that were rolled back; it is written before
the pointer, so that a process that dies in between leaves no flip that nobody remembers.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from collie_core.files import replacing
from collie_pipeline.storage.publication import (
    HOME,
    WAYS_OUT,
    Publication,
    UnreadableError,
    find,
    id_of,
    permitted,
    read_publication,
)
from collie_pipeline.storage.sealed import read_sealed, write_sealed

POINTER, HISTORY, LOCK = "CURRENT", "history.json", ".lock"
WEEK_LENGTH = len("2026-01-05")


@dataclass(frozen=True)
class History:
    """What is remembered of flips.

    Parameters
    ----------
    served : ids that served, each once, the last on top; a rollback takes those above away.
    withdrawn : ids that were rolled back: made again, they do not serve by themselves.
    left : when an id ceased to serve, as ISO time.
    """

    served: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)

    def before(self, identity: str | None) -> tuple[str, ...]:
        """Return the ids below `identity`, the last on top; all, if it is not among them."""
        known = identity in self.served
        return self.served[: self.served.index(str(identity))] if known else self.served


def read_history(root: Path) -> History:
    """Return what is remembered of flips.

    Raises
    ------
    ValueError
        If it is not what was written: what was rolled back must not serve again by itself.
    """
    path = root / HOME / HISTORY
    try:
        known = read_sealed(path)
        served, withdrawn = ([str(each) for each in known[key]] for key in ("served", "withdrawn"))
        return History(tuple(served), tuple(withdrawn), dict(known["left"]))
    except FileNotFoundError:
        return History()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is not what was written ({error}), and it says what was rolled back: restore "
            "it, or remove it, and use `collie rollback` again if what was rolled back serves"
        ) from None


def pointed(root: Path) -> str | None:
    """Return the name of the folder that the pointer names, None if there is no pointer.

    Raises
    ------
    ValueError
        If it names no folder beside it, or may not be read.
    """
    path = root / HOME / POINTER
    try:
        with permitted():
            name = path.read_text().strip()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        name = ""
    if not name or Path(name).name != name or name[0] == ".":
        raise ValueError(f"{path} holds {name!r}, must be the name of a publication: {WAYS_OUT}")
    return name


def current(root: Path) -> Publication | None:
    """Return the publication that serves, or None before the first.

    What it returns is one set: later flips change which one serves, not what is in its folder,
    which is kept for `publications.keep_days` after it ceased to serve.

    Raises
    ------
    ValueError
        If the pointer, the manifest or the files are not what they should be, or may not be read:
        a damaged set is never served in silence. Files are held to their sizes here, and to their
        hashes by `Publication.read` and `Publication.is_whole`.
    """
    while (name := pointed(root)) is not None:
        try:
            return _served(root / HOME / name)
        except ValueError:
            if pointed(root) == name:  # otherwise a flip came between, and it was taken away
                raise
    return None


def _served(path: Path) -> Publication:
    publication = read_publication(path)
    if lacking := publication.lacking():
        raise ValueError(f"{path} serves, but {', '.join(lacking)} is gone or cut: {WAYS_OUT}")
    return publication


def serving_before(root: Path, week: str) -> Publication | None:
    """Return what served before `week` was published, or None: the first such parent of today's.

    Following parents, and not the newest of all folders, makes a week that is made again have the
    very same publication before it. Where a parent is gone, it is the last of an earlier week that
    is remembered to have served.
    """
    name = _pointed_at_all(root)
    serving = find(root, id_of(name)) if name else None
    while serving is not None and serving.week >= week:
        if serving.parent is None:
            return None
        serving = find(root, serving.parent)
    return serving or (_remembered(root, week) if name else None)


def _remembered(root: Path, week: str) -> Publication | None:
    earlier = (each for each in reversed(read_history(root).served) if week_of(each) < week)
    return next((found for each in earlier if (found := find(root, each))), None)


def week_of(identity: str) -> str:
    """Return the week in an id or the name of a folder."""
    return identity[:WEEK_LENGTH]


def previous(root: Path) -> Publication | None:
    """Return what served before what serves now, the last that is still there, or None."""
    name = _pointed_at_all(root)
    below = read_history(root).before(None if name is None else id_of(name))
    remembered = next((found for each in reversed(below) if (found := find(root, each))), None)
    serving = find(root, id_of(name)) if name else None
    if remembered is None and serving is not None and serving.parent:
        return find(root, serving.parent)
    return remembered


def is_due(root: Path, publication: Publication) -> bool:
    """Return whether `publication` is to serve and does not: its flip never came.

    So it is if nothing serves that can be read, or if it is of no earlier week than what does, and
    neither was rolled back nor has served and given way.
    """
    name, history = _pointed_at_all(root), read_history(root)
    if name == publication.path.name or publication.id in history.withdrawn:
        return False
    if name is None:
        return True
    gave_way = publication.id in history.served[:-1] or id_of(name) == publication.id
    return week_of(name) <= publication.week and (not gave_way or not _stands(root, name))


def _stands(root: Path, name: str) -> bool:
    try:
        return read_publication(root / HOME / name).is_whole()
    except ValueError:
        return False


def may_serve(root: Path, publication: Publication) -> bool:
    """Return whether `publication`, just made, takes the place of what serves."""
    name = _pointed_at_all(root)
    if name is not None and id_of(name) == publication.id:
        return True
    if publication.id in read_history(root).withdrawn:
        return False
    return name is None or week_of(name) <= publication.week


def flip(root: Path, publication: Publication, history: History) -> None:
    """Let `publication` serve, remembered as `history` says; the caller holds the lock."""
    name = _pointed_at_all(root)
    if name is not None and name != publication.path.name:
        now = datetime.now(UTC).isoformat()
        history = replace(history, left={**history.left, id_of(name): now})
    write_history(root, history)
    point_at(publication)


def point_at(publication: Publication) -> None:
    """Let readers find `publication`."""
    with replacing(publication.path.with_name(POINTER)) as pointer:
        pointer.write_text(publication.path.name)


def write_history(root: Path, history: History) -> None:
    """Remember `history`."""
    write_sealed(root / HOME / HISTORY, asdict(history))


def served_next(history: History, identity: str) -> History:
    """Return `history` with `identity` on top."""
    below = tuple(each for each in history.served if each != identity)
    return replace(history, served=(*below, identity))


def _pointed_at_all(root: Path) -> str | None:
    """Return the name in the pointer, None also where it holds none."""
    try:
        return pointed(root)
    except UnreadableError:  # it may well hold one
        raise
    except ValueError:
        return None
