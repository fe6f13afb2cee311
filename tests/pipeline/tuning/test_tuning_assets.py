"""The assets `tuning/<model>`: real runs on the demo."""

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from commanded import MODEL, SMALL, trials
from small_project import small_settings

from collie_pipeline.definitions import make_definitions
from collie_pipeline.project import Project
from collie_pipeline.settings import SettingsError, load_settings
from collie_pipeline.storage import read_table
from collie_pipeline.unchanged import outdated
from collie_pipeline.versions import made_by

KEY = f"tuning/{MODEL}"
SEARCHED = {"models": [MODEL], "trials": 4}


@pytest.fixture(scope="module")
def prepared(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of a week that is prepared, without its test, and that was searched in before."""
    root = tmp_path_factory.mktemp("tuning_assets") / "data"
    shutil.copytree(home / "data" / "demo", root)
    project = Project(load_settings(**tomllib.loads(SMALL), root=root, tuning=SEARCHED))
    (root / "prepared" / "test" / f"{project.week().key}.h5").unlink()
    return project


@pytest.fixture(scope="module")
def made(prepared: Project) -> Iterator[dg.DagsterInstance]:
    """The instance in which the search was run twice."""
    with dg.DagsterInstance.local_temp(str(prepared.root.parent)) as instance:
        for _ in range(2):
            assert run(prepared, instance).success
        yield instance


def run(project: Project, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = make_definitions(project).resolve_job_def("tuning")
    return job.execute_in_process(instance=instance, partition_key=project.week().key)


def keys(project: Project) -> set[str]:
    specs = make_definitions(project).resolve_all_asset_specs()
    return {spec.key.to_user_string() for spec in specs}


def path_of(project: Project) -> Path:
    return Path(project.root, KEY, f"{project.week().key}.parquet")


def metadata(instance: dg.DagsterInstance, back: int = 0) -> dict[str, object]:
    records = instance.fetch_materializations(dg.AssetKey(KEY.split("/")), limit=2).records
    event = records[back].asset_materialization
    assert event is not None
    return {name: entry.value for name, entry in event.metadata.items()}


def test_the_test_is_not_read(prepared: Project, made: dg.DagsterInstance) -> None:
    assert metadata(made)["best_trial"] in range(4)
    assert not list((prepared.root / "prepared" / "test").glob("*.h5"))


def test_the_table_has_a_row_a_trial_with_its_settings(
    prepared: Project, made: dg.DagsterInstance
) -> None:
    assert made.has_asset_key(dg.AssetKey(KEY.split("/")))
    table = read_table(path_of(prepared))  # held to its hash
    assert list(table["trial"]) == [0, 1, 2, 3]
    assert set(table["state"]) <= {"complete", "pruned", "refused"}
    present = prepared.settings.models.matrix_factorization
    first = table.iloc[0]
    assert {name: first[name] for name in ("lr", "embedding_dim", "loss", "weight_decay")} == {
        name: getattr(present, name) for name in ("lr", "embedding_dim", "loss", "weight_decay")
    }


def test_the_same_search_gives_the_same_bytes(made: dg.DagsterInstance) -> None:
    assert metadata(made, 1)["sha256"] == metadata(made, 0)["sha256"]


def test_it_goes_on_with_what_the_command_has_tried(
    prepared: Project, home: Path, made: dg.DagsterInstance
) -> None:
    assert metadata(made)
    lines = trials((home / "said.txt").read_text())
    values = [f"{value:.4f}" for value in read_table(path_of(prepared))["value"]]
    assert [line.split()[3] for line in lines] == values[: len(lines)]
    kept = prepared.root / "studies" / MODEL
    assert len(list(kept.iterdir())) == len(list((home / "data/demo/studies" / MODEL).iterdir()))


def test_the_ui_shows_the_best_what_it_gains_and_what_to_set(
    prepared: Project, made: dg.DagsterInstance
) -> None:
    shown, table = metadata(made), pd.read_parquet(path_of(prepared))
    best = table.loc[table["state"] == "complete", "value"].max()
    assert shown["mapk"] == pytest.approx(best)
    assert shown["gain"] == pytest.approx(best - table["value"].iloc[0])
    assert shown["gain_low"] <= shown["gain"] <= shown["gain_high"]  # type: ignore[operator]
    assert f"[models.{MODEL}]" in str(shown["collie.toml"])
    assert "4 trials" in str(shown["trials"])
    assert "embedding" in str(shown["preview"])
    lineage = shown["dagster/column_lineage"]
    origins = {dep.asset_key.to_user_string() for dep in lineage.deps_by_column["value"]}  # type: ignore[attr-defined]
    assert origins == {"prepared/train", "prepared/validation"}


def test_a_plain_project_has_no_such_assets(tmp_path: Path) -> None:
    definitions = make_definitions(Project(small_settings(tmp_path)))
    assert not [key for key in keys(Project(small_settings(tmp_path))) if key.startswith("tuning/")]
    assert "tuning" not in {job.name for job in definitions.jobs or ()}


def test_each_model_that_is_named_has_one_made_of_what_it_needs(tmp_path: Path) -> None:
    models = ["ease", "hybrid_pretrained", "hybrid"]
    names = [*models, "matrix_factorization"]
    settings = small_settings(tmp_path, models={"names": names}, tuning={"models": models})
    definitions = make_definitions(Project(settings))
    found = {
        spec.key.path[1]: {dep.asset_key.to_user_string() for dep in spec.deps}
        for spec in definitions.resolve_all_asset_specs()
        if spec.group_name == "tuning"
    }
    parts = {"prepared/train", "prepared/validation"}
    features = parts | {"prepared/item_features"}
    assert found == {
        "ease": parts,
        "hybrid_pretrained": {*features, "models/matrix_factorization"},
        "hybrid": features,
    }


def test_what_learns_ratings_is_tuned_on_ratings(tmp_path: Path) -> None:
    models = {"names": [MODEL], MODEL: {"loss": "mse"}}
    settings = small_settings(tmp_path, models=models, tuning=SEARCHED)
    spec = make_definitions(Project(settings)).resolve_assets_def(dg.AssetKey(KEY.split("/")))
    deps = {key.to_user_string() for key in spec.asset_deps[dg.AssetKey(KEY.split("/"))]}
    assert deps == {"prepared/ratings_train", "prepared/ratings_validation"}


def test_a_week_is_published_without_a_search(prepared: Project, made: dg.DagsterInstance) -> None:
    definitions = make_definitions(prepared)
    weekly = definitions.resolve_job_def("weekly").asset_layer.selected_asset_keys
    assert {key.to_user_string() for key in weekly} == keys(prepared) - {KEY}
    lacking = outdated(prepared, definitions, made, prepared.week())
    assert set(lacking) <= set(weekly)
    untuned = load_settings(**tomllib.loads(SMALL), root=prepared.root)
    assert prepared.settings.fingerprint() == untuned.fingerprint()


@pytest.mark.parametrize(
    ("change", "concerns"),
    [
        ({"models": {MODEL: {"lr": 0.5}}}, True),
        ({"tuning": {**SEARCHED, "trials": 5}}, True),
        ({"seed": 1}, True),
        ({"models": {"ease": {"regularization": 1.0}}}, False),
        ({"tuning": {"models": [MODEL, "ease"], "trials": 4}}, False),
    ],
)
def test_a_search_is_outdated_by_its_own_settings_only(
    tmp_path: Path, change: dict[str, object], concerns: bool
) -> None:
    plain = load_settings(root=tmp_path, tuning=SEARCHED)
    changed = load_settings(**{"root": tmp_path, "tuning": SEARCHED, **change})
    assert (made_by(changed, KEY) != made_by(plain, KEY)) == concerns


@pytest.mark.parametrize(
    ("tuning", "said"),
    [
        ({"models": ["popularity"]}, "popularity has no settings to search: leave it out"),
        ({"models": ["deep_fm"]}, "tuning.models has deep_fm, which models.names has not: add it"),
        ({"trials": 0}, "tuning.trials is 0"),
    ],
)
def test_a_wrong_setting_is_refused(tuning: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load_settings(tuning=tuning)


def test_definitions_load_without_optuna_and_without_torch() -> None:
    code = (
        "import sys; sys.modules['optuna'] = None\n"
        "from collie_pipeline.definitions import make_definitions\n"
        "from collie_pipeline.project import Project\n"
        "from collie_pipeline.settings import load_settings\n"
        f"settings = load_settings(tuning={json.dumps(SEARCHED)})\n"
        "make_definitions(Project(settings)).resolve_asset_graph()\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
