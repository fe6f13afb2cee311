"""An erasure as a writer: version 0 has the user in publications, version 1 has them nowhere."""

from pathlib import Path

import pandas as pd
import torch

from collie_core.baselines import Popularity
from collie_core.bundle import save_bundle
from collie_pipeline.erased import FILE, Erased, read_erased, remember, write_erased
from collie_pipeline.erasing import Who, search
from collie_pipeline.erasing.erasure import forget_unfinished
from collie_pipeline.erasing.publications import erase_from_publications
from collie_pipeline.storage import (
    Publication,
    current,
    find,
    publications,
    publish,
    read_history,
    rollback,
)
from collie_pipeline.verifying import faults

USER, OTHER = "user-1", "user-10"
# Who is in the lists of each week: the user's were published first, third, and last, which was
# rolled back, so that the third serves.
IN_LISTS = {
    "2026-01-05": [USER, OTHER],
    "2026-01-12": [OTHER],
    "2026-01-19": [OTHER, USER],
    "2026-01-26": [USER, OTHER],
}


def erase(root: Path, version: int) -> None:
    """Publish lists with the user, for version 0, or take them out of what was published."""
    root.mkdir(parents=True, exist_ok=True)
    if not (root / FILE).exists():
        write_erased(root, Erased("0" * 32))  # a salt that is the same in all processes
    if version == 0:
        _publish_all(root)
        return
    who = Who(USER, remember(root, USER).tombstone_of(USER))
    forget_unfinished(root)
    erase_from_publications(root, who)


def erased_version(root: Path) -> int:
    """Return 0 if anything tells of the user, else 1; what is there is whole and serves."""
    if torn := [name for name, wrong in faults(root).items() if wrong]:
        raise ValueError(f"{torn} are torn")
    if any((root / "publications").glob("[0-9]*")) and current(root) is None:
        raise ValueError("nothing serves")
    read_erased(root)
    version = 0 if search([root], Who(USER)) else 1
    if version == 1:
        _refuse_loose_ends(root)
    return version


def _publish_all(root: Path) -> None:
    parent: Publication | None = None
    for week, user_ids in IN_LISTS.items():
        bundle = root / "champion.bundle"
        save_bundle(Popularity(len(user_ids), torch.arange(3.0)), bundle, {"user_id": user_ids})
        lists = pd.DataFrame({"user_id": user_ids, "item_id": "a"})
        about = {"id": parent.id, "sha256": parent.sha256} if parent else None
        parent = publish(root, {"users": lists}, bundle, {"week": week, "parent": about})
        bundle.unlink()
    rollback(root)


def _refuse_loose_ends(root: Path) -> None:
    """Refuse ids of publications that are not there, where one is named."""
    history = read_history(root)
    named = [*history.served, *history.withdrawn, *history.left]
    named += [each.parent for each in publications(root) if each.parent]
    if gone := [name for name in named if find(root, name) is None]:
        raise ValueError(f"{gone} are named, and are not there")
