"""Pickles that would make a file, and what notices that one was read."""

import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

TRACED: list[str] | None = None


def _trace(event: str, arguments: tuple[Any, ...]) -> None:
    if TRACED is not None and event == "pickle.find_class":
        TRACED.append(".".join(map(str, arguments)))


sys.addaudithook(_trace)  # there is no taking it away, so that it has a switch


@contextmanager
def no_pickle() -> Iterator[None]:
    """Fail if a pickle asks for a class or a function in the block."""
    global TRACED
    TRACED = []
    try:
        yield
        assert TRACED == [], TRACED
    finally:
        TRACED = None


class Payload:
    """Makes a file when it is unpickled, or when anybody looks at what was."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.marker), "w")


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_PATH", str(tmp_path))
    marker = tmp_path / "it_ran"
    yield marker
    assert not marker.exists()


def evil(marker: Path, protocol: int = 2) -> bytes:
    return pickle.dumps(Payload(marker), protocol)


def pickled_by_torch(path: Path, marker: Path) -> Path:
    torch.save({"state_dict": {}, "hyper_parameters": {}, "x": Payload(marker)}, path)
    return path
