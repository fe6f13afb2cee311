"""Publications by what people call them: "current", "previous", an id or the beginning of one."""

from pathlib import Path

from collie_pipeline.storage import Publication, current, previous, publications

CURRENT, PREVIOUS = "current", "previous"


def chosen(root: Path, name: str) -> Publication:
    """Return the publication that `name` means.

    Parameters
    ----------
    root : folder that holds `publications/`.
    name : "current", "previous", an id, the beginning of an id, or of the hash in it.

    Raises
    ------
    ValueError
        If none is meant, or several are; the message lists some.
    """
    if name in (CURRENT, PREVIOUS):
        found = current(root) if name == CURRENT else previous(root)
        if found is None:
            raise ValueError(f"there is no {name} publication in {root}: see `collie publications`")
        return found
    known = {each.id: each for each in publications(root)}
    hits = [key for key in known if key == name] or [key for key in known if _means(name, key)]
    if len(hits) != 1:
        some = ", ".join(hits or list(known)[-5:]) or "none is there"
        raise ValueError(
            f"{len(hits)} publications are called {name!r}, must be one: use one of {some}"
        )
    return known[hits[0]]


def _means(name: str, identity: str) -> bool:
    return bool(name) and (
        identity.startswith(name) or identity.rpartition("-")[2].startswith(name)
    )
