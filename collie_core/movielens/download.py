"""MovieLens 100K from GroupLens: fetched once, checked, unpacked aside and renamed."""

import hashlib
import io
import shutil
import stat
import uuid
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from collie_core.fetching import fetched

URL = "https://files.grouplens.org/datasets/movielens/ml-100k.zip"
SIZE_BYTES = 4_924_029
SHA256 = "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229"
MOST_BYTES = 64 << 20  # unpacked, more than three times what there is
WAY_OUT = (
    "fetch and unpack it elsewhere and set COLLIE_DATA_PATH (or DATA_PATH for the folder above) "
    "to where it is"
)


def download_movielens(folder: Path, url: str = URL) -> Path:
    """Return `folder`, filled with the files of the archive at `url`; it is whole or not there.

    Raises
    ------
    ConnectionError
        If the archive cannot be fetched; the message says how to do without.
    ValueError
        If what came is not the archive.
    """
    unpack(fetch(url), folder)
    return folder


def fetch(url: str, size_bytes: int = SIZE_BYTES, sha256: str = SHA256) -> bytes:
    """Return the bytes at `url` if they are those expected; see `download_movielens`."""
    archive = fetched(url, size_bytes + 1, WAY_OUT)  # one more shows that there are others
    found = hashlib.sha256(archive).hexdigest()
    if len(archive) != size_bytes or found != sha256:
        raise ValueError(
            f"{url} gave {len(archive)} bytes with sha256 {found}, must be {size_bytes} with "
            f"{sha256}: something between here and GroupLens changed them; try another network"
        )
    return archive


def unpack(archive: bytes, folder: Path) -> None:
    """Make `folder` hold the files of the zip `archive`, without the folder they lie in there.

    Raises
    ------
    ValueError
        If a name in it would leave `folder`, or it has a link or far more bytes than MovieLens
        100K; nothing is written then.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.tmp"
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            names = {member: _name_inside(member) for member in files.infolist()}
            _refuse_bomb(names)
            aside.mkdir()
            for member, name in names.items():
                if name and not member.is_dir():
                    (aside / name).write_bytes(files.read(member))
        shutil.rmtree(folder, ignore_errors=True)  # an older attempt that lacks files
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _refuse_bomb(members: Iterable[zipfile.ZipInfo]) -> None:
    size = sum(member.file_size for member in members)  # no member can give more than it says
    if size > MOST_BYTES:
        raise ValueError(
            f"the archive unpacks to {size} bytes, must be at most {MOST_BYTES}: do not use it"
        )


def _name_inside(member: zipfile.ZipInfo) -> str:
    """Return the name of `member` in the folder that it lies in; "" for what is above."""
    path = member.filename
    parts = PurePosixPath(path.replace("\\", "/")).parts
    if len(parts) > 2 or {"..", "/"} & set(parts) or any(":" in part for part in parts):
        raise ValueError(f"{path!r} in the archive leaves its folder: do not use this archive")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ValueError(f"{path!r} in the archive is a link: do not use this archive")
    return parts[1] if len(parts) == 2 else ""
