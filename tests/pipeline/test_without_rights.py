"""What may not be read, by a user without rights: an error with the rule and the way out."""

from pathlib import Path

import pandas as pd
import pytest
from as_nobody import said_to_nobody

from collie_pipeline.storage import publish
from collie_pipeline.storage.publication import read_publication

pytestmark = pytest.mark.slow  # a process each
READ = """
from collie_pipeline.settings import load_settings; from collie_pipeline.sources import make_source
settings = load_settings(
    source="files", data_path=sys.argv[1] + "/in", files={"items": "items.csv"}
)
source = make_source(settings)
source.span()
source.items(source.span()[0])
print("read")
"""
SERVE = """
from collie_pipeline.storage import current
serving = current(Path(sys.argv[1]))
serving.read("users")
print("whole" if serving.is_whole() else "damaged")
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    rows = "user_id,item_id,timestamp\nann,tea,1767614400\n"
    (tmp_path / "in" / "interactions.csv").write_text(rows)
    (tmp_path / "in" / "items.csv").write_text("item_id\ntea\n")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "mode"),
    [("interactions.csv", 0o000), ("items.csv", 0o000), ("", 0o000), ("", 0o600), ("", 0o100)],
)
def test_a_source_that_may_not_be_read_is_named_with_the_way_out(
    files: Path, name: str, mode: int
) -> None:
    assert said_to_nobody(READ, files) == "read"
    path = files / "in" / name
    path.chmod(mode)
    said = said_to_nobody(READ, files)
    path.chmod(0o755)
    assert said.startswith(f"ValueError: {path}")
    assert "may not be read by user" in said
    assert "let this user read it" in said


@pytest.mark.parametrize(
    "name", ["", "CURRENT", "{id}", "{id}/manifest.json", "{id}/users.parquet"]
)
def test_a_reader_without_rights_is_told_so_and_not_to_roll_back(tmp_path: Path, name: str) -> None:
    (tmp_path / "model.bundle").write_bytes(b"weights")
    tables = {"users": pd.DataFrame({"user_id": ["ann"]})}
    made = publish(tmp_path, tables, tmp_path / "model.bundle", {"week": "2026-01-05"})
    assert said_to_nobody(SERVE, tmp_path) == "whole"
    path = made.path.parent / name.format(id=made.id)
    mode = path.stat().st_mode
    path.chmod(0)
    said = said_to_nobody(SERVE, tmp_path)
    path.chmod(mode)
    assert "UnreadableError: " in said
    assert str(path) in said
    assert "may not be read by user" in said
    assert "rollback" not in said
    assert read_publication(made.path).is_whole()
