import os
import stat
from pathlib import Path

import pytest

from collie_core.files import written_aside


def test_files_take_their_places_together(tmp_path: Path) -> None:
    targets = tmp_path / "a", tmp_path / "b"
    with written_aside(*targets) as asides:
        for number, aside in enumerate(asides):
            aside.write_text(str(number))
        assert not any(path.exists() for path in targets)
    assert [path.read_text() for path in targets] == ["0", "1"]
    assert len(list(tmp_path.iterdir())) == 2


def fail_half_way(path: Path) -> None:
    with written_aside(path) as (aside,):
        aside.write_text("new")
        raise RuntimeError("half-way")


def test_failure_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(RuntimeError, match="half-way"):
        fail_half_way(tmp_path / "a")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(FileNotFoundError, match="none is not a folder: make it"),
        written_aside(tmp_path / "a", tmp_path / "none" / "b"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_file_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with written_aside(tmp_path / "a"):
        pass
    modes = {stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in ("a", "plain")}  # noqa: PTH116
    assert len(modes) == 1
