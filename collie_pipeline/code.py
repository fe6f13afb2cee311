"""Versions of code: hashes of the files that something is made by."""

import ast
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

PACKAGES = Path(__file__).resolve().parents[1]
OURS = ("collie_core", "collie_pipeline")


@lru_cache(maxsize=256)
def code_version(*parts: str) -> str:
    """Return a hash of the Python files in `parts`.

    Parameters
    ----------
    parts : files such as "collie_core/train.py" and folders, each as it is; or modules such as
        "collie_core.train", with all of ours that they import, and so on.
    """
    files = {file for part in parts for file in _files(part)}
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.relative_to(PACKAGES).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def _files(part: str) -> Iterator[Path]:
    path = PACKAGES / part
    if path.is_dir():
        yield from path.rglob("*.py")
    elif path.suffix == ".py":
        yield path
    else:
        yield from imported(part)


def imported(module: str) -> set[Path]:
    """Return the files of `module` and of all of our modules that it imports, and so on.

    Of a package only what is named counts: `from collie_core.model import DeepFM` is the module
    that defines it, not the whole package.
    """
    found: set[Path] = set()
    waiting = [_file(module)]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += _names(file).values()
    return found


def _file(module: str) -> Path:
    path = PACKAGES.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@lru_cache(maxsize=512)
def _names(file: Path) -> dict[str, Path]:
    """Return the file of each of our names that `file` imports."""
    found: dict[str, Path] = {}
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {each.name: _file(each.name) for each in node.names if _is_ours(each.name)}
        elif isinstance(node, ast.ImportFrom) and node.module and _is_ours(node.module):
            for each in node.names:
                found[each.asname or each.name] = _defining(node.module, each.name)
    return found


def _is_ours(module: str) -> bool:
    return module.split(".")[0] in OURS


def _defining(module: str, name: str) -> Path:
    """Return the file that defines `name`, which a package may hand on from one of its modules."""
    below = _file(f"{module}.{name}")
    if below.exists():
        return below
    file = _file(module)
    return _names(file).get(name, file) if file.name == "__init__.py" else file
