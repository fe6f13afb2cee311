import subprocess
from pathlib import Path

import pandas as pd
import pytest

from collie_pipeline.storage import is_sound, read_table, recording, verify
from collie_pipeline.storage.checksums import recorded, sidecar
from collie_pipeline.storage.locks import WRITING

TABLE = pd.DataFrame({"user_id": ["a", "b"], "rank": [1, 2]})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "2026-01-05.parquet"
    written(path, TABLE)
    return path


def written(path: Path, table: pd.DataFrame) -> None:
    with recording(path) as temporary:
        table.to_parquet(temporary, index=False)


def there(path: Path) -> set[Path]:
    """Return the files beside `path` and itself, without the lock."""
    return set(path.parent.iterdir()) - {path.with_name(WRITING)}


def flipped(path: Path, place: int = -20) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_what_was_written_is_read(path: Path) -> None:
    pd.testing.assert_frame_equal(read_table(path), TABLE)
    assert read_table(path, columns=["rank"]).columns.tolist() == ["rank"]
    assert is_sound(path)
    assert (verify(path),) == recorded(path)
    assert there(path) == {path, sidecar(path)}


def test_sha256sum_reads_the_record(path: Path) -> None:
    command = ["sha256sum", "--check", sidecar(path).name]
    assert subprocess.run(command, cwd=path.parent, check=False).returncode == 0


def test_a_new_file_replaces_the_record_of_the_old(path: Path) -> None:
    old = recorded(path)
    written(path, TABLE.head(1))
    assert len(recorded(path)) == 1
    assert recorded(path) != old
    assert is_sound(path)


@pytest.mark.parametrize("place", [0, 30, -20])
def test_a_flipped_bit_is_found_and_named_with_both_hashes(path: Path, place: int) -> None:
    (right,) = recorded(path)
    flipped(path, place)
    assert not is_sound(path)
    with pytest.raises(ValueError, match=rf"{path}.*its sha256 is \w{{64}}, must be {right}"):
        read_table(path)
    with pytest.raises(ValueError, match="collie run --force"):
        verify(path)


def test_a_cut_file_is_found(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="is not what was written"):
        read_table(path)


def test_a_file_without_a_record_is_refused(path: Path) -> None:
    sidecar(path).unlink()
    assert not is_sound(path)
    with pytest.raises(ValueError, match="and no other is recorded"):
        read_table(path)


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"0" * 64 + b"  2026-01-05.parquet\n"])
def test_a_damaged_record_is_no_record_until_the_file_is_written_again(
    path: Path, content: bytes
) -> None:
    sidecar(path).write_bytes(content)
    assert not is_sound(path)
    written(path, TABLE)
    assert is_sound(path)
    assert len(recorded(path)) == 1


def test_while_a_file_is_replaced_the_old_and_the_new_are_sound(path: Path) -> None:
    (old,) = recorded(path)
    sidecar(path).write_text(f"{old}  {path.name}\n{'0' * 64}  {path.name}\n")
    assert is_sound(path)
    pd.testing.assert_frame_equal(read_table(path), TABLE)


def test_a_write_that_fails_leaves_the_old_file_and_its_record(path: Path) -> None:
    def fail() -> None:
        with recording(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        fail()
    assert is_sound(path)
    assert there(path) == {path, sidecar(path)}


def test_what_a_killed_process_left_goes_with_the_next_write(path: Path) -> None:
    for name in (f".{path.name}.abc.tmp", f"..{path.name}.abc.tmp.def.tmp"):
        (path.parent / name).touch()
    other = path.parent / ".2026-01-12.parquet.abc.tmp"
    other.touch()
    written(path, TABLE)
    assert there(path) == {path, sidecar(path), other}
