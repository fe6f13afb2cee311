"""Which publication serves: flips, rollbacks, and what was damaged or interrupted."""

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from collie_pipeline.storage import (
    Publication,
    current,
    find,
    previous,
    publications,
    publish,
    read_history,
    rollback,
    serving_before,
    take_over,
)
from collie_pipeline.storage.pointer import HISTORY, POINTER, is_due

WEEKS = ("2026-01-05", "2026-01-12", "2026-01-19")
TABLES = {"users": pd.DataFrame({"user_id": ["a", "b"], "rank": [1, 1]})}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "model.bundle"
    path.write_bytes(b"weights")
    return path


def made(bundle: Path, week: str, **about: Any) -> Publication:
    root = bundle.parent
    parent = serving_before(root, week)
    named = None if parent is None else {"id": parent.id, "sha256": parent.sha256}
    return publish(root, TABLES, bundle, {"week": week, "parent": named, **about})


@pytest.fixture
def three(bundle: Path) -> list[Publication]:
    return [made(bundle, week) for week in WEEKS]


def damage(publication: Publication, name: str = "users.parquet") -> None:
    content = bytearray((publication.path / name).read_bytes())
    content[-1] ^= 1
    (publication.path / name).write_bytes(content)


def test_rolling_back_goes_one_further_back_each_time(
    tmp_path: Path, three: list[Publication]
) -> None:
    assert [rollback(tmp_path).id, rollback(tmp_path).id] == [three[1].id, three[0].id]
    assert current(tmp_path) == three[0]
    with pytest.raises(ValueError, match="nothing served before"):
        rollback(tmp_path)


def test_what_was_rolled_back_serves_again_only_if_asked_for(
    tmp_path: Path, bundle: Path, three: list[Publication]
) -> None:
    rollback(tmp_path)
    assert made(bundle, WEEKS[2]) == three[2]
    assert current(tmp_path) == three[1]
    assert not is_due(tmp_path, three[2])
    assert rollback(tmp_path, three[2].id) == current(tmp_path) == three[2]
    assert made(bundle, WEEKS[2]) == current(tmp_path)


def test_after_a_rollback_other_inputs_and_newer_weeks_serve(
    tmp_path: Path, bundle: Path, three: list[Publication]
) -> None:
    rollback(tmp_path, three[0].id)
    mended = made(bundle, WEEKS[1], settings="mended")
    assert current(tmp_path) == mended
    assert mended.parent == three[0].id
    newer = made(bundle, "2026-01-26")
    assert current(tmp_path) == newer
    assert newer.parent == mended.id
    assert previous(tmp_path) == mended


def test_a_damaged_publication_is_not_rolled_back_to(
    tmp_path: Path, three: list[Publication]
) -> None:
    damage(three[1])
    with pytest.raises(ValueError, match=rf"{three[1].id} is damaged \(users.parquet\)"):
        rollback(tmp_path)
    assert current(tmp_path) == three[2]


@pytest.mark.parametrize("content", ["", "../secret", ".hidden", "/etc"])
def test_a_pointer_that_names_no_publication_is_an_error_with_a_way_out(
    tmp_path: Path, three: list[Publication], content: str
) -> None:
    (three[0].path.parent / POINTER).write_text(content)
    with pytest.raises(ValueError, match="must be the name of a publication: `collie rollback`"):
        current(tmp_path)
    assert rollback(tmp_path, three[1].id) == current(tmp_path)


def test_a_folder_that_is_gone_is_an_error_and_rollback_the_way_out(
    tmp_path: Path, three: list[Publication]
) -> None:
    shutil.rmtree(three[2].path)
    with pytest.raises(ValueError, match=rf"{three[2].id} is no publication"):
        current(tmp_path)
    assert rollback(tmp_path) == current(tmp_path) == three[1]


@pytest.mark.parametrize("name", ["users.parquet", "champion.bundle"])
def test_a_file_that_is_gone_is_named(tmp_path: Path, three: list[Publication], name: str) -> None:
    (three[2].path / name).unlink()
    with pytest.raises(ValueError, match=f"{name} is gone or cut"):
        current(tmp_path)


def test_reading_a_table_holds_it_to_its_hash(three: list[Publication]) -> None:
    pd.testing.assert_frame_equal(three[2].read("users", ["rank"]), TABLES["users"][["rank"]])
    damage(three[2])
    with pytest.raises(ValueError, match="differs from its sha256"):
        three[2].read("users")
    with pytest.raises(ValueError, match="unknown table 'user': use one of \\['users'\\]"):
        three[2].read("user")


def test_a_damaged_one_that_serves_gives_way_to_the_same_made_again(
    tmp_path: Path, bundle: Path, three: list[Publication]
) -> None:
    for copy in ("+2", "+3"):
        damage(find(tmp_path, three[2].id) or three[2])
        again = made(bundle, WEEKS[2])
        assert again.path.name == f"{three[2].id}{copy}"
        assert again == current(tmp_path)
        assert again.id == three[2].id
        assert again.is_whole()
    assert [each.id for each in publications(tmp_path)] == [each.id for each in three]
    assert serving_before(tmp_path, "2026-01-26") == again


@pytest.mark.parametrize("week", WEEKS[1:])
def test_a_week_can_be_made_again_when_the_manifest_that_serves_is_damaged(
    tmp_path: Path, bundle: Path, three: list[Publication], week: str
) -> None:
    (three[2].path / "manifest.json").write_text("{")
    assert serving_before(tmp_path, week) == three[WEEKS.index(week) - 1]
    assert made(bundle, WEEKS[2]) == current(tmp_path)


def test_a_flip_that_never_came_is_made_up_for(tmp_path: Path, three: list[Publication]) -> None:
    pointer = three[0].path.parent / POINTER
    pointer.write_text(three[1].id)  # as if the process died after its folder had its name
    (pointer.parent / HISTORY).unlink()
    take_over(tmp_path, three[0])
    assert current(tmp_path) == three[1]
    take_over(tmp_path, three[2])
    assert current(tmp_path) == three[2]
    pointer.unlink()
    take_over(tmp_path, three[2])
    assert current(tmp_path) == three[2]


def test_two_publications_of_one_week_do_not_take_over_from_each_other(
    tmp_path: Path, bundle: Path
) -> None:
    first = made(bundle, WEEKS[0])
    second = made(bundle, WEEKS[0], settings="others")
    take_over(tmp_path, first)
    assert current(tmp_path) == second
    assert rollback(tmp_path) == first


def test_no_flipped_bit_of_the_history_lets_serve_what_was_rolled_back(
    tmp_path: Path, bundle: Path, three: list[Publication]
) -> None:
    assert rollback(tmp_path) == three[1]
    path = three[0].path.parent / HISTORY
    sound = path.read_bytes()
    for place in range(len(sound)):
        flipped = bytearray(sound)
        flipped[place] ^= 1
        path.write_bytes(flipped)
        with suppress(ValueError):  # but for a blank between two values, it is named
            assert three[2].id in read_history(tmp_path).withdrawn
    path.write_bytes(sound.replace(three[2].id[-6:].encode(), b"000000"))
    with pytest.raises(ValueError, match=r"history\.json is not what was written .*restore it, or"):
        made(bundle, WEEKS[2])
    assert current(tmp_path) == three[1]
    path.unlink()  # the way out
    assert made(bundle, WEEKS[2]) == current(tmp_path)


@pytest.mark.parametrize(
    "content", ["[", "{}", '{"content": {}, "sha256": 1}', "\udcff", "[" * 9999]
)
def test_a_history_that_cannot_be_read_is_named_and_readers_go_on(
    tmp_path: Path, three: list[Publication], content: str
) -> None:
    path = three[0].path.parent / HISTORY
    path.write_text(content, errors="surrogateescape")
    with pytest.raises(ValueError, match=r"history\.json is not what was written"):
        previous(tmp_path)
    assert current(tmp_path) == three[2]


def test_what_is_told_of_a_run_is_held_to_a_checksum(
    three: list[Publication], caplog: pytest.LogCaptureFixture
) -> None:
    path = three[0].path / "run.json"
    assert set(three[0].run) == {"made"}
    path.write_text(path.read_text().replace("20", "21"))
    assert three[0].run == {}
    assert "run.json is not what was written, and not used" in caplog.text
    assert three[0].is_whole()


def test_strange_files_beside_publications_do_no_harm(
    tmp_path: Path, bundle: Path, three: list[Publication]
) -> None:
    home = three[0].path.parent
    (home / "notes.txt").write_text("ours")
    (home / "2026-not-one").mkdir()
    (home / "0-file").write_text("")
    (three[0].path / "README").write_text("extra")
    assert publications(tmp_path) == three
    assert three[0].is_whole()
    assert made(bundle, WEEKS[2]) == three[2]


def test_the_manifest_knows_sizes_rows_and_schema_and_the_run_is_beside_it(
    tmp_path: Path, bundle: Path
) -> None:
    about = {"week": WEEKS[0]}
    first = publish(tmp_path, TABLES, bundle, about, {"run_id": "one"})
    second = publish(tmp_path, TABLES, bundle, about, {"run_id": "two"})
    assert first == second
    assert second.run["run_id"] == "one"
    manifest = json.loads((first.path / "manifest.json").read_text())
    assert manifest["rows"] == {"users": 2}
    assert manifest["schema"] == {"users": {"user_id": "str", "rank": "int64"}}
    assert manifest["bytes"]["champion.bundle"] == len(b"weights")
