"""Whether publications are what their manifests say, read again from disk."""

from pathlib import Path

from collie_pipeline.storage.publication import MANIFEST, Publication, folders, read_publication


def faults(root: Path, only: Publication | None = None) -> dict[str, list[str]]:
    """Return the damaged files of each publication under `root`, or of one, by its folder's name.

    Those whose manifest cannot be read are among them, which no other function shows.
    """
    paths = folders(root) if only is None else [only.path]
    return {path.name: _faults(path) for path in paths}


def _faults(path: Path) -> list[str]:
    try:
        return read_publication(path).damaged()
    except ValueError:
        return [MANIFEST]
