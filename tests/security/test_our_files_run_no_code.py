"""A pickle in the place of each file that the pipeline writes: no code, and a clear error."""

import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from pickles import evil, no_pickle, pickled_by_torch

from collie_core.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from collie_pipeline.erased import read_erased
from collie_pipeline.erasing import Who, search
from collie_pipeline.erasing.dagster_storage import erase_from_databases
from collie_pipeline.exports.duckdb_file import DuckDBFile
from collie_pipeline.exports.vectors import VectorFolder
from collie_pipeline.storage import Publication, current, read_history, read_table, verify
from collie_pipeline.storage.sealed import read_sealed

PROTOCOLS = (0, 2, 5)  # 0 is text, and so it passes for JSON until it is parsed
HOME = "publications"
READERS: Mapping[str, tuple[str, Callable[[Path], object]]] = {
    "history": (f"{HOME}/history.json", read_history),
    "who was erased": ("erased.json", read_erased),
    "pointer": (f"{HOME}/CURRENT", current),
    "run": ("run.json", lambda root: read_sealed(root / "run.json")),
    "vectors' index": ("v/one/index.json", lambda root: VectorFolder(root / "v").held()),
    "vectors' users": ("v/one/users.parquet", lambda root: VectorFolder(root / "v").rows_of("a")),
    "DuckDB file": ("shop.duckdb", lambda root: DuckDBFile(root / "shop.duckdb").held()),
    "searched DuckDB": ("shop.duckdb", lambda root: DuckDBFile(root / "shop.duckdb").rows_of("a")),
    "checkpoint": ("epoch.ckpt", lambda root: read_checkpoint(root / "epoch.ckpt", "key")),
    "table": ("t.parquet", lambda root: read_table(root / "t.parquet")),
    "checksum": ("t.parquet.sha256", lambda root: verify(root / "t.parquet")),
}
SAID = {  # by those who do not name the file itself
    "run": "no content|Expecting value|can't decode",  # its caller names it
    "vectors' index": "one is damaged",
    "checksum": r"t\.parquet is not what was written",
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", READERS)
def test_a_pickle_in_its_place_is_refused(
    kind: str, protocol: int, marker: Path, tmp_path: Path
) -> None:
    if "DuckDB" in kind:
        pytest.importorskip("duckdb")
    name, read = READERS[kind]
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "t.parquet").touch()
    if kind.startswith("vectors"):
        (tmp_path / "v" / "CURRENT").write_text("one")
    path.write_bytes(evil(marker, protocol) + b"\n")
    with no_pickle(), pytest.raises(ValueError, match=SAID.get(kind, re.escape(str(path)))):
        read(tmp_path)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_vectors_pointer(protocol: int, marker: Path, tmp_path: Path) -> None:
    (tmp_path / "CURRENT").write_bytes(evil(marker, protocol))
    with no_pickle(), pytest.raises(ValueError, match="use `collie export`"):
        VectorFolder(tmp_path).held()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_told_of_a_run(protocol: int, marker: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(evil(marker, protocol))
    with no_pickle():
        assert Publication(tmp_path, {}).run == {}


CHECKPOINTS: Mapping[str, Callable[[Path, Path], object]] = {
    "saved by torch": pickled_by_torch,
    "a pickle": lambda path, marker: path.write_bytes(evil(marker)),
    "state": lambda path, marker: with_member(path, "state.json", evil(marker)),
    "state as text": lambda path, marker: with_member(path, "state.json", evil(marker, 0)),
    "arrays": lambda path, marker: with_member(path, "arrays.safetensors", evil(marker)),
}


def with_member(path: Path, name: str, content: bytes) -> None:
    """Write a checkpoint of which one member is replaced."""
    write_checkpoint(path, "key", {"epoch": 1})
    with zipfile.ZipFile(path) as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for each, sound in members.items():
            archive.writestr(each, content if each == name else sound)


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_our_own_checkpoint(kind: str, marker: Path, tmp_path: Path) -> None:
    path = tmp_path / "epoch.ckpt"
    CHECKPOINTS[kind](path, marker)
    with no_pickle(), pytest.raises(ValueError, match=r"epoch\.ckpt"):
        read_checkpoint(path, "key")
    training = SimpleNamespace(state_dict=dict, load_state_dict=lambda state: None)  # noqa: ARG005
    with no_pickle(), pytest.warns(UserWarning, match=r"is unfit: .*epoch\.ckpt"):
        assert not Checkpoint(path, "key").resume(training)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_journal_of_a_search(protocol: int, marker: Path, tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    from collie_pipeline.tuning.study import Study

    study = Study(SimpleNamespace(model="ease", metric="mapk"), tmp_path)
    study.journal.write_bytes(evil(marker, protocol) + b"\n")
    with no_pickle(), pytest.raises(ValueError, match=r"journal\.log cannot be read .*search anew"):
        study.finished()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_search_for_a_user_reads_every_kind(marker: Path, tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    names = ["a.parquet", "a.h5", "a.bundle", "a.db", "a.duckdb", "a.json", "a.ckpt", "a.log"]
    for name in names:
        (tmp_path / name).write_bytes(evil(marker) + b" user-1 ")
    with no_pickle():
        assert [path.name for path in search([tmp_path], Who("user-1"))] == sorted(names)
        erase_from_databases(tmp_path / "nowhere", Who("user-1"))
