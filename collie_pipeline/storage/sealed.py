"""Small files of JSON that hold their own SHA-256: what is read is what was written."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from collie_core.files import replacing


def write_sealed(path: Path, content: Mapping[str, Any], mode: int | None = None) -> None:
    """Put `content` in the place of what is at `path`, with who may do what: see `Path.chmod`."""
    sealed = {"content": content, "sha256": _digest(content)}
    with replacing(path) as temporary:
        if mode is not None:
            temporary.chmod(mode)
        temporary.write_text(json.dumps(sealed, indent=1, sort_keys=True))


def read_sealed(path: Path) -> dict[str, Any]:
    """Return what was written to `path`.

    Raises
    ------
    FileNotFoundError
        If nothing is there.
    ValueError
        If it is not what was written; the message says how, and the caller which file, and what
        can be done.
    """
    try:
        sealed = json.loads(path.read_bytes())
        content, recorded = dict(sealed["content"]), sealed["sha256"]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"no content with its sha256 ({error})") from None
    if (digest := _digest(content)) != recorded:
        raise ValueError(f"its content has the sha256 {digest}, must be {recorded}")
    return content


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
