"""Where the MovieLens 100K files are: a given folder, or a cache that is filled once."""

import os
from pathlib import Path

from collie_core.movielens.download import download_movielens

NAME = "ml-100k"
FILES = ("u.data", "u.item", "u.user")


def movielens_folder(data_path: Path | None = None) -> Path:
    """Return the folder with `u.data`, `u.item` and `u.user`.

    Parameters
    ----------
    data_path : that folder or the one above. Unset, it is `$DATA_PATH/ml-100k`, or
        `~/.cache/collie/ml-100k` without the variable, and downloaded if it is not there.

    Raises
    ------
    ValueError
        If the files are not where they are said to be.
    ConnectionError
        If they are not there and cannot be downloaded.
    """
    if data_path is None:
        folder = cache_folder() / NAME
        return folder if _is_whole(folder) else download_movielens(folder)
    for folder in (data_path, data_path / NAME):
        if _is_whole(folder):
            return folder
    raise ValueError(
        f"data path {data_path} {_lack(data_path)}, must be a folder with {', '.join(FILES)}: "
        "set COLLIE_DATA_PATH to it, or unset it to download them once"
    )


def cache_folder() -> Path:
    """Return `$DATA_PATH`, or `~/.cache/collie` where it is not set."""
    return Path(os.environ.get("DATA_PATH") or "~/.cache/collie").expanduser()


def _is_whole(folder: Path) -> bool:
    return all((folder / name).is_file() for name in FILES)


def _lack(folder: Path) -> str:
    if not folder.exists():
        return "does not exist"
    if not folder.is_dir():
        return "is not a folder"
    inner = (
        folder if (folder / FILES[0]).exists() or not (folder / NAME).is_dir() else folder / NAME
    )
    return f"has no {', '.join(name for name in FILES if not (inner / name).is_file())}"
