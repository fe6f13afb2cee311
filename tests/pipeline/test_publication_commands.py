"""What commands say of publications: on two made by hand, and on one of a whole run."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from collie_core.baselines import EASE, ItemKNN
from collie_core.bundle import save_bundle
from collie_core.interactions import Interactions
from collie_pipeline.choosing import chosen
from collie_pipeline.cli import app
from collie_pipeline.differing import difference
from collie_pipeline.storage import Publication, current, publish, recording
from collie_pipeline.tracing import trace

WEEKS = ("2026-01-05", "2026-01-12")
USERS = [0, 0, 0, 1, 1, 2, 2, 3]
ITEMS = [0, 1, 2, 0, 1, 1, 2, 3]
IDS = {"user_id": ["ann", "bob", "cy", "di"], "item_id": ["a", "b", "c", "d"]}


def lists(**of: str) -> pd.DataFrame:
    rows = [
        {"user_id": user, "rank": rank, "item_id": item, "score": 1.0, "source": "champion"}
        for user, items in of.items()
        for rank, item in enumerate(items, 1)
    ]
    return pd.DataFrame(rows)


@pytest.fixture(params=[EASE, ItemKNN], ids=["ease", "item_knn"])
def model(request: pytest.FixtureRequest) -> Any:
    train = Interactions(
        users=USERS, items=ITEMS, num_items=4, check_num_negative_samples_is_valid=False
    )
    return request.param.fit(train)


@pytest.fixture
def two(tmp_path: Path, model: Any, monkeypatch: pytest.MonkeyPatch) -> list[Publication]:
    """Two publications, and the rows that the second was made of."""
    monkeypatch.setenv("COLLIE_ROOT", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    bundle = tmp_path / "m.bundle"
    save_bundle(model, bundle, IDS)
    ids = {"user_id": np.take(IDS["user_id"], USERS), "item_id": np.take(IDS["item_id"], ITEMS)}
    rows = pd.DataFrame({**ids, "rating": 5.0, "timestamp": range(8), "source_row": range(1, 9)})
    for key, table in (
        ("raw/interactions", rows),
        ("prepared/clean", rows),
        ("prepared/implicit", rows.drop(index=1)),  # ann did not like b
        ("raw/items", pd.DataFrame({"item_id": [*"abcd"], "title": [*"ABCD"], "genres": ""})),
    ):
        with recording(tmp_path / key / f"{WEEKS[1]}.parquet") as path:
            table.to_parquet(path)
    about = {"window": [WEEKS[1]], "model": "ease", "code": "c", "source": "demo", "clean": {}}
    made = []
    for week, of in zip(
        WEEKS,
        ({"ann": "dc", "bob": "cd", "cy": "ad"}, {"ann": "cd", "bob": "cd", "di": "ab"}),
        strict=True,
    ):
        tables = {"users": lists(**of)}
        made.append(publish(tmp_path, tables, bundle, {"week": week, **about}, {"run_id": "r-1"}))
    return made


def said(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def test_publications_are_chosen_by_the_beginning_of_an_id(
    tmp_path: Path, two: list[Publication]
) -> None:
    digest = two[0].id.rpartition("-")[2]
    for name in (two[0].id, "2026-01-05", digest[:5], "previous"):
        assert chosen(tmp_path, name) == two[0]
    assert chosen(tmp_path, "current") == two[1]
    for name, wrong in (("2026-01", "2 publications"), ("x", "0 publications"), ("", "0 pub")):
        with pytest.raises(ValueError, match=wrong):
            chosen(tmp_path, name)


def test_the_difference_counts_users_and_items(two: list[Publication]) -> None:
    found = difference(*two)
    assert list(found.users.values()) == [1, 1, 0, 1, 1]  # bob, ann in another order, di, cy
    moved = found.items.set_index("item_id").to_dict("index")
    assert moved == {
        "a": {"into": 1, "out": 1},
        "b": {"into": 1, "out": 0},
        "d": {"into": 0, "out": 1},
    }


def test_commands_list_verify_compare_and_roll_back(tmp_path: Path, two: list[Publication]) -> None:
    assert all(each.id in said("publications") for each in two)
    assert said("verify", "--all").count("whole") == 2
    assert f"{two[0].id} → {two[1].id}" in said("diff")
    side_by_side = said("diff", "--user", "di")
    assert "+ A" in side_by_side
    assert "no user 'eve'" in said("diff", "--user", "eve", code=1)
    assert f"{two[0].id} serves now" in said("rollback")
    assert current(tmp_path) == two[0]
    assert "✗" in said("publications")
    assert "there is no previous publication" in said("rollback", code=1)
    two[1].table("users").write_bytes(b"other")
    assert "1 of 2 are damaged" in said("verify", "--all", code=1)
    assert f"{two[1].id} is damaged (users.parquet)" in said("rollback", two[1].id, code=1)


def test_an_item_is_explained_by_what_the_users_items_add_to_its_score(
    tmp_path: Path, two: list[Publication], model: Any
) -> None:
    found = trace(tmp_path, two[1], "bob", "c")
    import torch

    score = float(model.score_all(torch.tensor([1]))[0, 2])
    assert found.rows["weight"].sum() == pytest.approx(score, abs=1e-6)
    assert list(found.rows["source_row"]) == [4, 5] or list(found.rows["source_row"]) == [5, 4]
    text = said("explain", "bob", "C")
    for part in ("rank 1 of bob", two[1].id, "r-1", "2026-01-12 row 4", "adds"):
        assert part in text
    with pytest.raises(ValueError, match="'a' is not recommended to 'bob', but c, d are"):
        trace(tmp_path, two[1], "bob", "a")


def test_rows_that_the_model_did_not_learn_from_add_nothing(
    tmp_path: Path, two: list[Publication]
) -> None:
    rows = trace(tmp_path, two[1], "ann", "d").rows.set_index("item_id")
    assert list(rows["liked"].sort_index()) == [True, False, True]
    assert np.isnan(rows["weight"]["b"])
