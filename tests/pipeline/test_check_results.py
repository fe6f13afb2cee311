"""What the checks say in real runs of a small graph: of sound data, and of a planted fault."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from small_project import small_settings

from collie_core.baselines import ItemKNN
from collie_core.bundle import model_of, read_bundle, save_bundle
from collie_pipeline.definitions import make_definitions
from collie_pipeline.project import Project
from collie_pipeline.storage import current, read_table, recording

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
WEEKS = ("2026-01-05", "2026-01-12")


def rows(users: int = 12) -> pd.DataFrame:
    """Each user likes five items a week, the earlier users the earlier items."""
    return pd.DataFrame(
        [
            (f"u{user}", f"i{(user // 4 * 8 + week * 5 + n) % 30}", 5, day.isoformat())
            for user in range(users)
            for week in range(len(WEEKS))
            for n in range(5)
            for day in [MONDAY + timedelta(weeks=week, hours=7 * n + user)]
        ],
        columns=["user_id", "item_id", "rating", "timestamp"],
    )


def described() -> pd.DataFrame:
    """Return what is known of the items."""
    names = [f"i{number}" for number in range(30)]
    return pd.DataFrame({"item_id": names, "title": names, "genres": "Drama"})


def definitions_of(folder: Path, **changes: object) -> dg.Definitions:
    """Return the definitions of the project that reads the files in `folder`."""
    files = {"interactions": "ratings.csv", "items": "items.csv", "time_unit": "iso"}
    small = {
        "window_weeks": 2,
        "models": {"names": ["popularity"]},
        "recommend": {"k": 3},
        **changes,
    }
    settings = small_settings(
        folder / "data", source="files", data_path=folder, files=files, **small
    )
    return make_definitions(Project(settings))


def run(
    folder: Path, table: pd.DataFrame, items: pd.DataFrame | None = None, **changes: object
) -> dg.ExecuteInProcessResult:
    """Return what became of the second week, after the rows of the first were read."""
    table.to_csv(folder / "ratings.csv", index=False)
    (described() if items is None else items).to_csv(folder / "items.csv", index=False)
    definitions = definitions_of(folder, **changes)
    with dg.DagsterInstance.ephemeral() as instance:
        results = [
            definitions.resolve_job_def(job).execute_in_process(
                partition_key=week, instance=instance, raise_on_error=False
            )
            for job, week in zip(("ingest", "weekly"), WEEKS, strict=True)
        ]
    assert results[0].success
    return results[1]


def again(folder: Path, *keys: str, **changes: object) -> dg.ExecuteInProcessResult:
    """Return what becomes of the assets `keys` of the second week, made from what is on disk."""
    job = definitions_of(folder, **changes).resolve_job_def("weekly")
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(
            partition_key=WEEKS[1],
            instance=instance,
            asset_selection=[dg.AssetKey(key.split("/")) for key in keys],
            raise_on_error=False,
        )


def made(result: dg.ExecuteInProcessResult) -> set[str]:
    events = result.get_asset_materialization_events()
    return {event.asset_key.to_user_string() for event in events if event.asset_key}


def names(result: dg.ExecuteInProcessResult, *, passed: bool) -> set[str]:
    return {
        f"{each.asset_key.to_user_string()}:{each.check_name}"
        for each in result.get_asset_check_evaluations()
        if each.passed is passed
    }


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> dg.ExecuteInProcessResult:
    return run(tmp_path_factory.mktemp("healthy"), rows())


def test_a_healthy_run_has_no_red_mark_and_no_warning(healthy: dg.ExecuteInProcessResult) -> None:
    assert healthy.success
    assert not names(healthy, passed=False)
    assert names(healthy, passed=True) >= {
        "raw/interactions:not_empty",
        "raw/interactions:usual_volume",
        "prepared/clean:few_rows_refused",
        "prepared/clean:schema",
        "prepared/clean:unique_rows",
        "prepared/clean:in_range",
        "prepared/implicit:known_items",
        "prepared/train:no_future_rows",
        "prepared/test:in_one_part_each",
        "raw/items:unique_ids",
        "raw/users:unique_ids",
        "evaluation/leaderboard:metrics_in_range",
        "evaluation/champion:not_worse",
        "recommendations/users:whole_lists",
        "recommendations/users:nothing_seen",
        "recommendations/users:coverage",
        "recommendations/similar_items:sound_lists",
        "recommendations/churn:churn",
        "recommendations/publication:as_hashed",
    }


def test_every_check_has_its_numbers(healthy: dg.ExecuteInProcessResult) -> None:
    first = {"recommendations/churn"}  # nothing was published before
    for each in healthy.get_asset_check_evaluations():
        assert each.metadata or each.asset_key.to_user_string() in first, each.check_name


def test_every_table_has_a_preview_and_shows_nobody(healthy: dg.ExecuteInProcessResult) -> None:
    known = {
        event.asset_key.to_user_string(): event.step_materialization_data.materialization.metadata
        for event in healthy.get_asset_materialization_events()
        if event.asset_key is not None
    }
    tables = {key: each for key, each in known.items() if "dagster/row_count" in each}
    assert {f"prepared/{name}" for name in ("hdf5", "train", "validation", "test")} <= set(tables)
    for key, shown in tables.items():
        preview = str(shown["preview"].value).splitlines()
        head, _, *lines = ([cell.strip() for cell in line.split("|")] for line in preview)
        assert len(lines) == min(5, int(str(shown["dagster/row_count"].value))), key
        people = {line[head.index("user\\_id")] for line in lines if "user\\_id" in head}
        assert people <= {"(a user)"}, key


def test_what_blocks_is_all_that_would_be_published_wrong(tmp_path: Path) -> None:
    settings = small_settings(tmp_path, models={"names": ["popularity"]})
    specs = make_definitions(Project(settings)).resolve_asset_graph().asset_check_keys
    graph = make_definitions(Project(settings)).resolve_asset_graph()
    warning = {key.name for key in specs if not graph.get_check_spec(key).blocking}
    assert warning == {"known_items", "unique_ids", "coverage", "churn"}


def test_a_week_a_tenth_as_large_stops_the_publication(tmp_path: Path) -> None:
    table = rows(users=36)
    late = table["timestamp"] >= WEEKS[1]
    broken = pd.concat([table[~late], table[late].head(10)])
    result = run(tmp_path, broken)
    assert not result.success
    assert names(result, passed=False) == {"raw/interactions:usual_volume"}
    assert current(tmp_path / "data") is None
    allowed = run(tmp_path, broken, checks={"max_volume_change": 50.0})
    assert allowed.success


def test_an_item_that_nothing_is_known_of_is_a_warning_and_no_more(tmp_path: Path) -> None:
    table = rows()
    table.loc[table["item_id"] == "i2", "item_id"] = "unheard-of"
    result = run(tmp_path, table)
    assert result.success
    assert names(result, passed=False) == {"prepared/implicit:known_items"}
    assert current(tmp_path / "data") is not None


def test_an_item_of_which_two_things_are_said_is_a_warning_and_the_last_counts(
    tmp_path: Path,
) -> None:
    other = pd.DataFrame([("i3", "Otherwise", "War")], columns=described().columns)
    result = run(tmp_path, rows(), pd.concat([described(), other]))
    assert result.success
    assert names(result, passed=False) == {"raw/items:unique_ids"}
    known = read_table(tmp_path / "data" / "raw" / "items" / f"{WEEKS[1]}.parquet")
    assert known.loc[known["item_id"] == "i3", "title"].tolist() == ["Otherwise"]


def test_lists_of_too_few_items_are_a_warning_and_no_more(tmp_path: Path) -> None:
    result = run(tmp_path, rows(), checks={"min_coverage": 0.99})
    assert result.success
    assert names(result, passed=False) == {"recommendations/users:coverage"}
    assert current(tmp_path / "data") is not None


def test_a_metric_that_can_not_be_keeps_its_model_from_being_champion(tmp_path: Path) -> None:
    run(tmp_path, rows())
    path = tmp_path / "data" / "evaluation" / "popularity" / f"{WEEKS[1]}.parquet"
    table = read_table(path).assign(mapk=2.0)
    with recording(path) as temporary:
        table.to_parquet(temporary, index=False)
    result = again(tmp_path, "evaluation/leaderboard", "evaluation/champion")
    assert names(result, passed=False) == {"evaluation/leaderboard:metrics_in_range"}
    assert made(result) == {"evaluation/leaderboard"}


def test_an_item_that_is_like_itself_is_not_published(tmp_path: Path) -> None:
    models = {"names": ["popularity", "item_knn"]}
    run(tmp_path, rows(), models=models)
    before = current(tmp_path / "data")
    path = tmp_path / "data" / "models" / "champion" / f"{WEEKS[1]}.bundle"
    bundle = read_bundle(tmp_path / "data" / "models" / "item_knn" / path.name)
    model = model_of(bundle)
    assert isinstance(model, ItemKNN)
    model.similarity.setdiag(2.0)
    with recording(path) as temporary:
        save_bundle(model, temporary, bundle.ids)
    keys = ("recommendations/similar_items", "recommendations/publication")
    result = again(tmp_path, *keys, models=models)
    assert names(result, passed=False) == {"recommendations/similar_items:sound_lists"}
    assert made(result) == {"recommendations/similar_items"}
    assert current(tmp_path / "data") == before


def test_an_older_board_that_is_damaged_keeps_no_later_week_from_its_own(tmp_path: Path) -> None:
    run(tmp_path, rows())
    path = tmp_path / "data" / "evaluation" / "leaderboard" / f"{WEEKS[1]}.parquet"
    older = path.with_name(f"{WEEKS[0]}.parquet")
    with recording(older) as temporary:
        temporary.write_bytes(path.read_bytes())
    content = bytearray(older.read_bytes())
    content[len(content) // 2] ^= 1
    older.write_bytes(content)
    result = again(tmp_path, "evaluation/leaderboard", "recommendations/report")
    assert result.success
    assert made(result) == {"evaluation/leaderboard", "recommendations/report"}
