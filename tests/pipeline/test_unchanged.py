"""Weeks that are made again: what stays, and what does not."""

import shutil
from pathlib import Path

import dagster as dg
import pytest
from rich.console import Console
from small_project import small_settings

from collie_pipeline.definitions import make_definitions
from collie_pipeline.project import Project
from collie_pipeline.running import RunError, run_week
from collie_pipeline.sections import Section
from collie_pipeline.settings import Settings
from collie_pipeline.unchanged import outdated
from collie_pipeline.versions import influences

MODELS = ("popularity", "item_knn", "ease")
LATE = {
    "evaluation/leaderboard",
    "evaluation/champion",
    "models/champion",
    "recommendations/users",
    "recommendations/similar_items",
    "recommendations/churn",
    "recommendations/publication",
    "recommendations/report",
}
QUIET = Console(quiet=True)


def project_of(root: Path, **changes: object) -> Project:
    models = {"names": MODELS, **changes.pop("models", {})}  # type: ignore[dict-item]
    return Project(small_settings(root, models=models, **changes))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root under which the newest week was made; `dagster_home` lies beside it."""
    home = tmp_path_factory.mktemp("unchanged")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home / "dagster_home"))
        project = project_of(home / "data")
        run_week(project, project.week(), QUIET)
    return home / "data"


def named(project: Project, home: Path) -> set[str]:
    """Return the keys of what is outdated in the newest week."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        definitions = make_definitions(project)
        keys = outdated(project, definitions, instance, project.week())
    return {key.to_user_string() for key in keys}


def lacking(made: Path, **changes: object) -> set[str]:
    return named(project_of(made, **changes), made.parent / "dagster_home")


def test_nothing_but_the_publication_is_asked_for_again(made: Path) -> None:
    assert lacking(made) == {"recommendations/publication"}


def test_a_models_setting_concerns_that_model_and_what_comes_after(made: Path) -> None:
    changed = lacking(made, models={"ease": {"regularization": 7.0}})
    assert changed == LATE | {"models/ease", "evaluation/ease"}


def test_a_longer_list_concerns_the_lists_only(made: Path) -> None:
    changed = lacking(made, recommend={"k": 7})
    assert changed == {key for key in LATE if key.startswith("recommendations/")}


def test_a_model_more_is_the_only_one_that_is_made(made: Path) -> None:
    changed = lacking(made, models={"names": [*MODELS, "matrix_factorization"]})
    own = {"models/matrix_factorization", "evaluation/matrix_factorization"}
    assert changed == LATE | own


def test_a_week_more_of_the_source_leaves_the_others_as_they_are(made: Path) -> None:
    demo = {"users": 120, "items": 80, "ratings": 2_400, "weeks": 7}
    project = project_of(made, demo=demo, end=project_of(made).week().monday)
    assert named(project, made.parent / "dagster_home") == {"recommendations/publication"}


@pytest.mark.parametrize("how", ["damaged", "gone"])
def test_a_file_that_is_not_as_it_was_written_is_made_again(made: Path, how: str) -> None:
    path = made / "models" / "ease" / f"{project_of(made).week().key}.bundle"
    content = path.read_bytes()
    try:
        path.unlink()
        if how == "damaged":
            path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert lacking(made) == LATE | {"models/ease", "evaluation/ease"}
    finally:
        path.write_bytes(content)


def test_a_back_filled_week_concerns_the_page_that_draws_it(made: Path) -> None:
    week = project_of(made).week()
    board = made / "evaluation" / "leaderboard"
    earlier, later = (board / f"{each.key}.parquet" for each in (week.previous, week.next))
    try:
        shutil.copy(board / f"{week.key}.parquet", later)
        assert lacking(made) == {"recommendations/publication"}
        shutil.copy(board / f"{week.key}.parquet", earlier)
        assert lacking(made) == {"recommendations/publication", "recommendations/report"}
    finally:
        earlier.unlink(missing_ok=True)
        later.unlink()


def test_files_of_one_step_are_made_together(made: Path) -> None:
    path = made / "prepared" / "test" / f"{project_of(made).week().key}.h5"
    content = path.read_bytes()
    try:
        path.unlink()
        changed = lacking(made)
    finally:
        path.write_bytes(content)
    assert {"prepared/train", "prepared/validation", "prepared/test"} <= changed
    assert "prepared/hdf5" not in changed


def test_what_failed_its_check_is_made_again_and_nothing_before_it(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    rows = "".join(
        f"u{n % 9},i{n % 7},{'x' if n % 2 else 5},2026-01-0{5 + n % 4}\n" for n in range(90)
    )
    (files / "ratings.csv").write_text("user_id,item_id,rating,timestamp\n" + rows)
    source = {"interactions": "*.csv", "time_unit": "iso"}
    project = project_of(tmp_path / "data", source="files", data_path=files, files=source)
    with pytest.raises(RunError, match="few_rows_refused"):
        run_week(project, project.week(), QUIET)
    assert (project.root / "prepared" / "clean" / "2026-01-05.parquet").exists()
    keys = named(project, tmp_path / "dagster_home")
    assert {"prepared/clean", "prepared/quarantine", "prepared/implicit"} <= keys
    assert not {key for key in keys if key.startswith("raw/")}


def leaves(settings: object, above: str = "") -> set[str]:
    fields = getattr(type(settings), "model_fields", {})
    if not fields:
        return {above}
    found = set()
    for name in fields:
        found |= leaves(getattr(settings, name), f"{above}.{name}" if above else name)
    return found


def test_every_setting_that_influences_a_result_makes_some_asset_outdated(tmp_path: Path) -> None:
    project = Project(small_settings(tmp_path))
    specs = make_definitions(project).resolve_all_asset_specs()
    known = {name for spec in specs for name in influences(spec.key.to_user_string())}
    own = project.settings.models  # each table in it is of one model
    known |= {f"models.{name}" for name, each in own if isinstance(each, Section)}
    which_there_are = {"start", "end", "demo.weeks", "models.names"}
    free = {
        leaf
        for leaf in leaves(project.settings)
        if leaf.split(".")[0] not in {*Settings.without_influence, "files"}
        and not any(leaf == name or leaf.startswith(f"{name}.") for name in known)
    }
    assert free <= which_there_are
