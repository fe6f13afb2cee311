"""Two weeks with a gap between them: the second begins where the first ended, and says so."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
import torch
from rich.console import Console
from small_files import MONDAY, project_of, rows

from collie_core.bundle import model_of, read_bundle, save_bundle
from collie_core.files import sha256
from collie_pipeline.definitions import make_definitions
from collie_pipeline.project import Project
from collie_pipeline.records import last_made, metadata_of
from collie_pipeline.running import run_week
from collie_pipeline.storage import Publication, current
from collie_pipeline.unchanged import outdated
from collie_pipeline.weeks import Week

pytestmark = pytest.mark.slow
MODEL = "matrix_factorization"
MODELS = {
    "names": ["item_knn", MODEL],
    "warm_start": True,
    MODEL: {"embedding_dim": 8, "epochs": 3, "patience": 3},
}
NEW_USERS, NEW_ITEMS = ("new-1", "new-2"), ("fresh-1", "fresh-2", "fresh-3")
QUIET = Console(quiet=True)


def rows_with_new_ones() -> pd.DataFrame:
    """Six weeks; from the fourth on there are more users, who like old items and new ones."""
    old = rows(users=24, weeks=6)
    new = [
        (user, item, 5, (MONDAY + timedelta(weeks=week, hours=n)).isoformat())
        for week in (3, 4, 5)
        for user in NEW_USERS
        for n, item in enumerate([*NEW_ITEMS, "i1", f"i{week}"])
    ]
    return pd.concat([old, pd.DataFrame(new, columns=old.columns)])


@dataclass(frozen=True)
class Made:
    """The project of both weeks, and what serves after the second."""

    project: Project
    first: Week
    second: Week
    serving: Publication

    def bundle(self, week: Week, model: str = MODEL) -> Path:
        return Path(self.project.root, "models", model, f"{week.key}.bundle")

    def known(self, key: str, week: Week) -> dict[str, Any]:
        """Return the metadata of an asset."""
        with self._instance() as instance:
            return metadata_of(last_made(instance, dg.AssetKey(key.split("/")), week.key))

    def outdated(self) -> set[str]:
        with self._instance() as instance:
            definitions = make_definitions(self.project)
            keys = outdated(self.project, definitions, instance, self.second)
        return {key.to_user_string() for key in keys}

    def _instance(self) -> dg.DagsterInstance:
        return dg.DagsterInstance.from_config(str(self.project.root.parent / "dagster_home"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The third week and then the sixth: those between are only read."""
    home = tmp_path_factory.mktemp("warm")
    (home / "files").mkdir()
    table = rows_with_new_ones()
    project = project_of(home / "files", table, window_weeks=5, models=MODELS)
    second = project.span[1]
    first = project.window(second)[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home / "dagster_home"))
        run_week(project, first, QUIET)
        run_week(project, second, QUIET)
    serving = current(project.root)
    assert serving is not None
    return Made(project, first, second, serving)


def test_a_model_says_from_which_week_it_began(made: Made) -> None:
    assert "warm_from" not in made.known(f"models/{MODEL}", made.first)
    known = made.known(f"models/{MODEL}", made.second)
    assert known["warm_from"] == made.first.key
    then, now = (read_bundle(made.bundle(week)).ids for week in (made.first, made.second))
    both = sum(len(set(then[side]) & set(now[side])) for side in ("user_id", "item_id"))
    assert known["warm_rows"] == 2 * both  # factors and biases
    assert "warm_from" not in made.known("models/item_knn", made.second)


def test_new_users_and_items_have_rows_of_their_own_and_scores(made: Made) -> None:
    bundle = read_bundle(made.bundle(made.second))
    scores = model_of(bundle).score_all(torch.arange(len(bundle.ids["user_id"])))
    assert scores.isfinite().all()
    known = read_bundle(made.bundle(made.first)).ids
    assert not {*NEW_USERS, *NEW_ITEMS} & {*known["user_id"], *known["item_id"]}
    assert set(NEW_USERS) <= set(bundle.ids["user_id"])
    assert set(NEW_ITEMS) <= set(bundle.ids["item_id"])
    places = [list(bundle.ids["user_id"]).index(user) for user in NEW_USERS]
    assert not torch.equal(*scores[places])
    lists = made.serving.read("users")
    of_new = lists[lists["user_id"].isin(NEW_USERS)]
    assert set(of_new["user_id"]) == set(NEW_USERS)
    assert set(of_new[of_new["rank"] > 0]["source"]) == {"champion"}


def test_the_manifest_names_the_bundle_by_week_and_hash(made: Made) -> None:
    digest = sha256(made.bundle(made.first))
    assert made.serving.manifest["warm"] == {MODEL: {"week": made.first.key, "sha256": digest}}


def test_the_same_inputs_give_the_same_bytes(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(made.project.root.parent / "dagster_home"))
    before = sha256(made.bundle(made.second)), made.serving.id
    run_week(made.project, made.second, QUIET, force=True)
    serving = current(made.project.root)
    assert serving is not None
    assert (sha256(made.bundle(made.second)), serving.id) == before


def test_another_bundle_to_begin_from_concerns_that_model_and_what_comes_after(made: Made) -> None:
    path = made.bundle(made.first)
    kept = path.read_bytes()
    try:
        bundle = read_bundle(path)
        model = model_of(bundle)
        model.item_biases.weight.data += 1
        save_bundle(model, path, bundle.ids)
        changed = made.outdated()
        assert made.project.fingerprint(made.second) != made.serving.manifest["inputs"]
    finally:
        path.write_bytes(kept)
    assert {f"models/{MODEL}", f"evaluation/{MODEL}", "models/champion"} <= changed
    assert not changed & {"models/item_knn", "evaluation/item_knn", "prepared/train"}
    assert made.outdated() == {"recommendations/publication"}
