"""Which publications are kept: no reader may find one gone that it was sent to."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from collie_pipeline.storage.locks import locked
from collie_pipeline.storage.pointer import (
    LOCK,
    History,
    current,
    previous,
    read_history,
)
from collie_pipeline.storage.publication import HOME, MANIFEST, Publication, publications
from collie_pipeline.storage.staging import take_away


def prune(root: Path, keep: int, keep_days: float, now: datetime | None = None) -> list[str]:
    """Remove old publications, and return their ids.

    One goes if `keep` others are newer, and if it was made, and last served, more than `keep_days`
    ago. What serves stays, and so do what a rollback would serve and the parents of all that stay:
    what is kept can be made again from the same inputs. While what serves is not whole, which every
    reader is told, nothing is removed.
    """
    with locked(root / HOME / LOCK):
        serving = _serving(root)
        if serving is None:
            return []
        before, limit = previous(root), (now or datetime.now(UTC)) - timedelta(days=keep_days)
        history, found = read_history(root), publications(root)
        others = [each for each in found if each.id != serving.id]
        newest = sorted(others, key=lambda each: _needed(each, history), reverse=True)
        kept = {each.id for each in [serving, *newest][:keep]}
        kept |= {each.id for each in found if _needed(each, history) > limit}
        kept |= {before.id} if before else set()
        kept |= {each.parent for each in found if each.id in kept and each.parent}
        gone = [each for each in found if each.id not in kept]
        for each in gone:
            take_away(each.path)
    return [each.id for each in gone]


def made_at(publication: Publication) -> datetime:
    """Return when the manifest of `publication` was written."""
    return datetime.fromtimestamp((publication.path / MANIFEST).stat().st_mtime, UTC)


def _serving(root: Path) -> Publication | None:
    try:
        return current(root)
    except ValueError:
        return None


def _needed(publication: Publication, history: History) -> datetime:
    """Return when a reader may last have been sent to `publication`: or else when it was made."""
    left = history.left.get(publication.id)
    times = [made_at(publication), *([datetime.fromisoformat(left)] if left else [])]
    return max(times)
