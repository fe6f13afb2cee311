"""The calls and imports in Python code, as a test asks for them."""

import ast
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("collie_core", "collie_pipeline")


def sources() -> list[Path]:
    """Return every module of both packages."""
    return [path for name in PACKAGES for path in sorted((REPOSITORY / name).rglob("*.py"))]


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the first part of each module that is imported, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((each.name.split(".")[0], node.lineno) for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0], node.lineno


def called(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call with its name, such as "torch.load" or "frame.to_sql"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def keyword(call: ast.Call, name: str) -> str | None:
    """Return the code that is given as `name`, if any is."""
    return next((ast.unparse(each.value) for each in call.keywords if each.arg == name), None)
