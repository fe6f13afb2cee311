from collections.abc import ItemsView
from pathlib import Path

import pandas as pd
import pytest

from collie_pipeline.storage import current, publications, publish, serving_before

TABLES = {"users": pd.DataFrame({"user_id": ["a", "b"], "rank": [1, 1]})}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "model.bundle"
    path.write_bytes(b"weights")
    return path


class Meddling(dict[str, str]):
    """What is told of a run: once it is written down, a file beside it is another one."""

    def __init__(self, home: Path, name: str) -> None:
        super().__init__(job="weekly")
        self.home, self.name = home, name

    def items(self) -> ItemsView[str, str]:
        [staged] = self.home.glob(f".*.tmp/{self.name}")
        content = staged.read_bytes()
        staged.write_bytes(content[:-1] + b"?")
        return super().items()


def test_nothing_serves_before_the_first(tmp_path: Path) -> None:
    assert current(tmp_path) is None
    assert publications(tmp_path) == []


def test_what_is_published_serves_and_is_whole(tmp_path: Path, bundle: Path) -> None:
    made = publish(tmp_path, TABLES, bundle, {"week": "2026-01-05"})
    assert current(tmp_path) == made
    assert made.is_whole()
    pd.testing.assert_frame_equal(pd.read_parquet(made.table("users")), TABLES["users"])
    assert made.bundle.read_bytes() == b"weights"


def test_the_same_content_is_the_same_publication(tmp_path: Path, bundle: Path) -> None:
    first = publish(tmp_path, TABLES, bundle, {"week": "2026-01-05"})
    inode = first.table("users").stat().st_ino
    assert publish(tmp_path, TABLES, bundle, {"week": "2026-01-05"}) == first
    assert first.table("users").stat().st_ino == inode
    assert len(publications(tmp_path)) == 1


def test_an_older_week_is_published_beside(tmp_path: Path, bundle: Path) -> None:
    newer = publish(tmp_path, TABLES, bundle, {"week": "2026-01-12"})
    older = publish(tmp_path, TABLES, bundle, {"week": "2026-01-05"})
    assert current(tmp_path) == newer
    assert publications(tmp_path) == [older, newer]


def test_what_served_before_is_found_through_the_parents(tmp_path: Path, bundle: Path) -> None:
    first = publish(tmp_path, TABLES, bundle, {"week": "2026-01-05"})
    aside = {"week": "2026-01-05", "settings": "others, published beside and never served"}
    with_parent = {"week": "2026-01-12", "parent": {"id": first.id}}
    second = publish(tmp_path, TABLES, bundle, with_parent)
    publish(tmp_path, TABLES, bundle, aside)
    publish(tmp_path, TABLES, bundle, {"week": "2026-01-19", "parent": {"id": second.id}})
    assert serving_before(tmp_path, "2026-01-26") == current(tmp_path)
    assert serving_before(tmp_path, "2026-01-19") == second
    assert serving_before(tmp_path, "2026-01-12") == first
    assert serving_before(tmp_path, "2026-01-05") is None


def test_a_parent_that_was_deleted_is_none(tmp_path: Path, bundle: Path) -> None:
    publish(tmp_path, TABLES, bundle, {"week": "2026-01-12", "parent": {"id": "2026-01-05-gone"}})
    assert serving_before(tmp_path, "2026-01-12") is None


@pytest.mark.parametrize("name", ["users.parquet", "champion.bundle"])
def test_a_changed_file_is_seen(tmp_path: Path, bundle: Path, name: str) -> None:
    made = publish(tmp_path, TABLES, bundle, {"week": "2026-01-05"})
    content = bytearray((made.path / name).read_bytes())
    content[0] ^= 1
    (made.path / name).write_bytes(content)
    assert not made.is_whole()
    assert publish(tmp_path, TABLES, bundle, {"week": "2026-01-05"}).is_whole()


def test_a_truncated_manifest_is_refused_by_name(tmp_path: Path, bundle: Path) -> None:
    made = publish(tmp_path, TABLES, bundle, {"week": "2026-01-05"})
    manifest = made.path / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:-2])
    with pytest.raises(ValueError, match=rf"{made.id} is no publication"):
        current(tmp_path)


def test_a_publication_that_fails_leaves_what_served(tmp_path: Path, bundle: Path) -> None:
    made = publish(tmp_path, TABLES, bundle, {"week": "2026-01-05"})
    with pytest.raises(FileNotFoundError):
        publish(tmp_path, TABLES, tmp_path / "none.bundle", {"week": "2026-01-12"})
    assert current(tmp_path) == made
    assert [path.name for path in made.path.parent.iterdir() if path.suffix == ".tmp"] == []


@pytest.mark.parametrize("name", ["users.parquet", "champion.bundle", "manifest.json"])
def test_a_file_that_changed_while_it_was_staged_never_serves(
    tmp_path: Path, bundle: Path, name: str
) -> None:
    made = publish(tmp_path, TABLES, bundle, {"week": "2026-01-05"})
    run = {"run": Meddling(tmp_path / "publications", name)}
    with pytest.raises(ValueError, match=rf"{name} of 2026-01-12-\w+ changed .* as hashed"):
        publish(tmp_path, TABLES, bundle, {"week": "2026-01-12"}, run)
    assert current(tmp_path) == made
    assert publications(tmp_path) == [made]
    again = publish(tmp_path, TABLES, bundle, {"week": "2026-01-12"})
    assert current(tmp_path) == again
    assert again.is_whole()
