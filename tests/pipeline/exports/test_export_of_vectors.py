"""The target `vectors`: Parquet that an index of neighbours can be built from."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from publishing import model_of, published

from collie_core.baselines import EASE
from collie_core.bundle import load_model
from collie_core.interactions import Interactions
from collie_core.recommend import scoring
from collie_pipeline.exports.vectors import VectorFolder

WEEKS = ("2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26")


@pytest.fixture
def target(tmp_path: Path) -> VectorFolder:
    return VectorFolder(tmp_path / "vectors")


def current(target: VectorFolder) -> Path:
    return target.home / (target.home / "CURRENT").read_text()


def matrix(path: Path) -> np.ndarray:
    return np.stack(pq.read_table(path)["vector"].to_numpy())


def test_inner_products_rank_as_the_published_model_does(
    tmp_path: Path, target: VectorFolder
) -> None:
    publication = published(tmp_path, WEEKS[0])
    assert target.put(publication) == {"items": 5, "users": 20}
    folder = current(target)
    products = matrix(folder / "users.parquet") @ matrix(folder / "items.parquet").T
    model = load_model(publication.bundle)
    with scoring(model):
        scores = model.score_all(torch.arange(20)).numpy()
    gaps = scores - products
    np.testing.assert_allclose(gaps, np.broadcast_to(gaps[:, :1], gaps.shape), atol=1e-5)
    said = json.loads((folder / "index.json").read_text())
    assert (said["metric"], said["dimensions"]) == ("inner_product", 4)


def test_a_vector_is_a_list_of_fixed_length_beside_its_outside_id(
    tmp_path: Path, target: VectorFolder
) -> None:
    target.put(published(tmp_path, WEEKS[0]))
    table = pq.read_table(current(target) / "items.parquet")
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 4)
    assert table["id"].to_pylist() == [f"i{n}" for n in range(5)]


def test_a_model_without_vectors_leaves_none_and_says_so(
    tmp_path: Path, target: VectorFolder
) -> None:
    target.put(published(tmp_path, WEEKS[0]))
    ease = EASE.fit(Interactions(users=[0, 0, 1, 1], items=[0, 1, 1, 2], num_negative_samples=1))
    later = published(tmp_path, WEEKS[1], model=ease)
    assert target.put(later) == {}
    folder = current(target)
    assert {path.name for path in folder.iterdir()} == {"index.json", "index.json.sha256"}
    assert "no vectors" in json.loads((folder / "index.json").read_text())["meaning"]
    assert target.held().publication == later.id


def test_the_folder_before_stays_for_who_reads_it(tmp_path: Path, target: VectorFolder) -> None:
    folders = []
    for week in WEEKS:
        target.put(published(tmp_path, week))
        folders.append(current(target))
    there = [path for path in target.home.iterdir() if path.is_dir()]
    assert sorted(there) == sorted(folders[-2:])


def test_the_same_publication_again_is_whole_at_any_time(
    tmp_path: Path, target: VectorFolder
) -> None:
    publication = published(tmp_path, WEEKS[0])
    target.put(publication)
    first = current(target)
    target.put(publication)
    assert current(target) != first
    assert (first / "items.parquet").exists()


@pytest.mark.parametrize("name", ["items.parquet", "users.parquet", "index.json"])
def test_a_damaged_file_is_named_when_it_is_read_back(
    tmp_path: Path, target: VectorFolder, name: str
) -> None:
    target.put(published(tmp_path, WEEKS[0]))
    path = current(target) / name
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"is damaged .*use `collie export`"):
        target.held()


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path, target: VectorFolder) -> None:
    first = published(tmp_path, WEEKS[0])
    target.put(first)
    later = published(tmp_path, WEEKS[1])
    later.bundle.write_bytes(later.bundle.read_bytes()[:-9])
    with pytest.raises(ValueError, match="bundle"):
        target.put(later)
    assert target.held().publication == first.id
    assert len(list(target.home.iterdir())) == 2


def test_items_of_the_model_are_those_of_the_bundle(tmp_path: Path, target: VectorFolder) -> None:
    target.put(published(tmp_path, WEEKS[0], model=model_of(7)))
    assert matrix(current(target) / "users.parquet").shape == (7, 4)


@pytest.mark.parametrize("content", [b"", b"\xb9", b"../vectors"])
def test_a_damaged_pointer_is_said_and_put_right_by_the_next_export(
    tmp_path: Path, target: VectorFolder, content: bytes
) -> None:
    publication = published(tmp_path, WEEKS[0])
    target.put(publication)
    (target.home / "CURRENT").write_bytes(content)
    with pytest.raises(ValueError, match=rf"{target.home}.*: use `collie export`"):
        target.held()
    target.put(publication)
    assert target.held().publication == publication.id


def test_a_changed_word_in_the_index_is_found(tmp_path: Path, target: VectorFolder) -> None:
    target.put(published(tmp_path, WEEKS[0]))
    about = current(target) / "index.json"
    about.write_text(about.read_text().replace("inner_product", "cosine"))
    with pytest.raises(ValueError, match=r"index\.json differs from index\.json\.sha256"):
        target.held()
