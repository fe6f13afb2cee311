from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from collie_core.baselines import Popularity
from collie_core.bundle import save_bundle
from collie_core.interactions import Interactions
from collie_core.model import ColdStartModel, MatrixFactorizationModel
from collie_core.utils import pandas_df_to_hdf5
from collie_pipeline.recommending import new_item_lists, similar_item_lists, user_lists

IDS = {"user_id": ["ann", "bob"], "item_id": ["w", "x", "y", "z"]}
PAIRS = [(0, 0), (0, 1), (1, 1)]
CLEAN = pd.DataFrame(
    [("ann", "w"), ("ann", "x"), ("bob", "x"), ("bob", "z"), ("cold", "x"), ("cold", "gone")],
    columns=["user_id", "item_id"],
)
USERS = pd.DataFrame({"user_id": ["ann", "known"]})


@pytest.fixture
def positives(tmp_path: Path) -> Path:
    table = pd.DataFrame(PAIRS, columns=["user_id", "item_id"])
    pandas_df_to_hdf5(table, tmp_path / "p.h5", num_users=2, num_items=4, ids=IDS)
    return tmp_path / "p.h5"


@pytest.fixture
def champion(tmp_path: Path) -> Path:
    save_bundle(Popularity(2, torch.tensor([1.0, 2.0, 3.0, 4.0])), tmp_path / "c.bundle", IDS)
    return tmp_path / "c.bundle"


def lists_of(table: pd.DataFrame) -> dict[str, list[str]]:
    listed = table[table["rank"] > 0]
    return listed.groupby("user_id")["item_id"].agg(list).to_dict()


def test_everybody_gets_a_list_without_what_they_met(positives: Path, champion: Path) -> None:
    table = user_lists(champion, positives, CLEAN, USERS, k=2)
    assert lists_of(table) == {
        "ann": ["z", "y"],
        "bob": ["y", "w"],  # bob met z, though he did not like it
        "cold": ["w", "y"],  # by popularity in the window, then by item
        "known": ["x", "w"],
    }
    assert table.set_index("user_id")["source"].to_dict() == {
        "ann": "champion",
        "bob": "champion",
        "cold": "popularity",
        "known": "popularity",
    }


def test_a_short_list_says_why(positives: Path, champion: Path) -> None:
    table = user_lists(champion, positives, CLEAN, USERS, k=3)
    ann = table[table["user_id"] == "ann"]
    assert ann["rank"].tolist() == [0, 1, 2]
    assert ann["source"].tolist() == ["too_few_candidates", "champion", "champion"]
    assert ann["item_id"].isna().tolist() == [True, False, False]


def test_similar_items_are_not_the_item_itself(positives: Path, tmp_path: Path) -> None:
    data = Interactions(mat=np.array([[1, 1, 0, 0], [0, 1, 0, 0]]), num_negative_samples=2)
    model = MatrixFactorizationModel(train=data, embedding_dim=2)
    with torch.no_grad():
        model.item_embeddings.weight.copy_(torch.tensor([[1, 0], [1, 0.1], [0, 1], [-1, 0.0]]))
    save_bundle(model, tmp_path / "mf.bundle", IDS)
    table = similar_item_lists(tmp_path / "mf.bundle", positives, k=2)
    assert table.groupby("item_id")["similar_item_id"].agg(list)["w"] == ["x", "y"]
    assert not (table["item_id"] == table["similar_item_id"]).any()


def test_a_champion_without_vectors_compares_by_shared_users(
    positives: Path, champion: Path
) -> None:
    table = similar_item_lists(champion, positives, k=3)
    assert set(zip(table["item_id"], table["similar_item_id"], strict=True)) == {
        ("w", "x"),
        ("x", "w"),
    }


def test_a_new_item_is_like_the_items_of_its_bucket(tmp_path: Path) -> None:
    torch.manual_seed(0)
    data = Interactions(mat=np.array([[1, 1, 0, 0], [0, 1, 0, 1]]), num_negative_samples=2)
    model = ColdStartModel(train=data, item_buckets=[0, 0, 1, 1], embedding_dim=4)
    model.advance_stage()
    save_bundle(model, tmp_path / "cold.bundle", {**IDS, "bucket": ["Drama", "War"]})
    table = new_item_lists(tmp_path / "cold.bundle", k=2)
    assert table.groupby("bucket")["item_id"].agg(set).to_dict() == {
        "Drama": {"w", "x"},
        "War": {"y", "z"},
    }
    assert table["rank"].tolist() == [1, 2, 1, 2]
