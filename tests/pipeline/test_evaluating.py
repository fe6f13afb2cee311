from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from collie_core.baselines import Popularity
from collie_core.bundle import save_bundle
from collie_core.interactions import Interactions
from collie_core.metrics import METRICS
from collie_core.utils import pandas_df_to_hdf5
from collie_pipeline.evaluating import difference, leaderboard, per_user_metrics
from collie_pipeline.sections import Evaluation
from collie_pipeline.served import translate

EVALUATION = Evaluation(k=2, resamples=200)
IDS = {"user_id": ["ann", "bob", "cy"], "item_id": ["w", "x", "y", "z"]}


def write(path: Path, pairs: list[tuple[int, int]], ids: dict[str, list[str]] = IDS) -> Path:
    table = pd.DataFrame(pairs, columns=["user_id", "item_id"])
    sizes = {"num_users": len(ids["user_id"]), "num_items": len(ids["item_id"])}
    pandas_df_to_hdf5(table, path, ids=ids, **sizes)
    return path


def test_seen_items_leave_the_ranking_and_cold_users_are_marked(tmp_path: Path) -> None:
    train = write(tmp_path / "train.h5", [(0, 0), (0, 1), (1, 0)])
    test = write(tmp_path / "test.h5", [(0, 2), (2, 1)])
    model = Popularity(3, torch.tensor([3.0, 2.0, 1.0, 0.0]))
    table = per_user_metrics(model, test, [train], EVALUATION)
    assert table["user_id"].tolist() == ["ann", "cy"]
    assert table["is_cold"].tolist() == [False, True]
    assert table["mapk"].tolist() == [1.0, 0.5]  # w and x are no candidates for ann


def test_strangers_are_judged_by_the_popular_items_that_they_are_served(tmp_path: Path) -> None:
    train = write(tmp_path / "train.h5", [(0, 0), (0, 1), (1, 0)])
    validation = write(tmp_path / "validation.h5", [(2, 3)])
    test = write(tmp_path / "test.h5", [(0, 2), (1, 3), (2, 0)])
    model = Popularity(3, torch.tensor([0.0, 1.0, 2.0, 3.0]))  # likes best what nobody has
    table = per_user_metrics(model, test, [train, validation], EVALUATION)
    assert table["is_cold"].tolist() == [False, False, True]
    assert table["mapk"].tolist() == [0.5, 1.0, 1.0]  # cy gets w, the popular one


def test_an_old_model_is_judged_by_whom_it_knows(tmp_path: Path) -> None:
    train = write(tmp_path / "train.h5", [(0, 0), (1, 1), (1, 0)])
    test = write(tmp_path / "test.h5", [(0, 2), (1, 2), (2, 2)])
    likes_y = Popularity(2, torch.tensor([1.0, 2.0, 3.0, 0.0]))
    save_bundle(likes_y, tmp_path / "old.bundle", {"user_id": ["bob", "cy"], "item_id": [*"wxyz"]})
    old = translate(tmp_path / "old.bundle", test)
    table = per_user_metrics(old, test, [train], EVALUATION)
    assert table["is_cold"].tolist() == [False, False, True]
    assert table["mapk"].tolist() == [0.5, 1.0, 1.0]  # ann is a stranger: x comes first, then y


def test_head_and_tail_have_a_recall_of_their_own(tmp_path: Path) -> None:
    train = write(tmp_path / "train.h5", [(0, 0), (1, 0), (2, 0), (0, 1), (1, 2)])
    test = write(tmp_path / "test.h5", [(0, 2), (0, 3), (2, 3)])
    model = Popularity(3, torch.tensor([3.0, 2.0, 1.0, 0.0]))
    table = per_user_metrics(model, test, [train], Evaluation(k=1, resamples=200))
    assert table["recall_tail"].tolist() == [0.5, 0.0]  # ann's first candidate is y
    assert table["recall_head"].isna().all()
    validation = write(tmp_path / "validation.h5", [(2, 3), (1, 3)])  # y is seen, not popular
    again = per_user_metrics(model, test, [train, validation], Evaluation(k=1, resamples=200))
    assert again["recall_tail"].tolist() == [0.5]  # cy has nothing else to find


def test_the_board_is_best_first_with_paired_differences() -> None:
    rng = np.random.default_rng(0)
    base = rng.random(200)
    metrics = dict.fromkeys(METRICS, base)

    def table(mapk: np.ndarray) -> pd.DataFrame:
        segments = {"is_cold": False, "recall_head": 0.5, "recall_tail": np.nan}
        return pd.DataFrame({"user_id": range(200), **segments, **metrics, "mapk": mapk})

    board = leaderboard({"popularity": table(base), "better": table(base + 0.1)}, EVALUATION)
    assert board["model"].tolist() == ["better", "popularity"]
    assert board["vs_popularity"].tolist() == pytest.approx([0.1, 0.0])
    assert board["vs_popularity_low"].tolist() == pytest.approx([0.1, 0.0])  # every user the same
    assert (board["mapk_high"] - board["mapk_low"] > 0.05).all()
    assert board["mapk_warm"].tolist() == board["mapk"].tolist()
    assert board["mapk_cold"].isna().all()  # nobody is cold
    assert board["recall_head"].tolist() == [0.5, 0.5]
    assert board["recall_tail"].isna().all()


def test_models_judged_on_other_users_are_refused() -> None:
    one, two = (
        pd.DataFrame({"user_id": [user], "is_cold": [False], "mapk": [1.0]}) for user in "ab"
    )
    with pytest.raises(ValueError, match="two was judged on other users"):
        leaderboard({"one": one, "two": two}, EVALUATION)


def test_users_without_a_metric_are_left_out_of_its_difference() -> None:
    ours, theirs = np.array([0.5, np.nan, 0.7]), np.array([0.4, 0.1, 0.6])
    assert difference(ours, theirs, EVALUATION).mean == pytest.approx(0.1)
    assert np.isnan(difference(ours[1:2], theirs[1:2], EVALUATION).mean)


def test_an_old_model_scores_today_by_outside_ids(tmp_path: Path) -> None:
    pairs = np.array([[0, 1, 0], [1, 1, 0]])
    counts = Interactions(mat=pairs, num_negative_samples=1)
    old_ids = {"user_id": ["bob", "dan"], "item_id": ["y", "x", "old"]}
    save_bundle(Popularity.fit(counts), tmp_path / "old.bundle", old_ids)
    today = write(tmp_path / "today.h5", [(0, 0), (1, 1), (2, 3)])
    scores = translate(tmp_path / "old.bundle", today).score_all(torch.arange(3))
    assert scores.shape == (3, 4)
    lowest = torch.finfo(torch.float32).min
    assert scores[1].tolist() == [lowest, 2.0, 1.0, lowest]  # bob: x, y known, w, z not
    assert (scores[[0, 2]] == 0).all()  # ann and cy are strangers
