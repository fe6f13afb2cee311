import os
import stat
from pathlib import Path

import pytest

from collie_core.files import new_folder, written_aside


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


def filled(path: Path, text: str) -> None:
    with new_folder(path) as create, create("a") as file:
        file.write(text.encode())


def test_a_folder_replaces_the_old_one_and_its_files(tmp_path: Path) -> None:
    target = tmp_path / "above" / "folder"
    for text in ("old", "new"):
        filled(target, text)
        assert [path.read_text() for path in target.iterdir()] == [text]
        (target / text).touch()
    assert list(target.parent.iterdir()) == [target]


def fail_in_a_folder(path: Path) -> None:
    with new_folder(path) as create, create("b"):
        raise KeyboardInterrupt


def test_a_folder_whose_files_are_not_all_there_is_not_used(tmp_path: Path) -> None:
    filled(tmp_path / "folder", "old")
    with pytest.raises(KeyboardInterrupt):
        fail_in_a_folder(tmp_path / "folder")
    assert [path.read_text() for path in tmp_path.glob("**/*") if path.is_file()] == ["old"]
    assert len(list(tmp_path.iterdir())) == 1


def write_twice(path: Path) -> None:
    with new_folder(path) as create:
        for _ in range(2):
            with create("a") as file:
                file.write(b"1")


def test_a_file_in_a_new_folder_is_made_once(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        write_twice(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_the_old_folder_comes_back_if_the_new_one_does_not_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path / "folder", "old")
    rename = Path.rename

    def interrupted(path: Path, target: Path) -> Path:
        if path.suffix == ".tmp":
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        filled(tmp_path / "folder", "new")
    assert (tmp_path / "folder" / "a").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    filled(tmp_path / "there", "old")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    filled(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "a").read_text() == "new"
    assert len(list(tmp_path.iterdir())) == 2
