"""Lines that were not parted into fields, as too many came of them, hold users all the same."""

import csv
from pathlib import Path

import pandas as pd
import pytest

from collie_pipeline.erased import remember, rows_of, without_erased
from collie_pipeline.erasing import Who, erase_user, search
from collie_pipeline.preparation.clean import clean
from collie_pipeline.project import Project
from collie_pipeline.running import dagster_home
from collie_pipeline.sections import Files
from collie_pipeline.sources.csv_files import read_csv
from collie_pipeline.weeks import Week

HEADER = ["user_id", "item_id", "rating", "timestamp"]
WEEK = Week.parse("2026-01-05")
TIME = str(int(WEEK.start.timestamp()))
IDS = ["123456", "7", "007", "alice-77", "O'Brien", "Smith, J", "@handle", "Zoë"]
OTHERS = ["bob-1", "70", "alice-770", "O'Brienne", "Zoëlle"]


def as_read(folder: Path, rows: list[list[str]], delimiter: str = ",") -> pd.DataFrame:
    """Return rows as the source reads them out of a CSV file."""
    path = folder / "rows.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([HEADER, *rows])
    return numbered(read_csv(path, HEADER, Files(delimiter=delimiter)))


def numbered(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(source_row=range(1, len(rows) + 1))


def ragged(user_id: str) -> list[str]:
    return [user_id, "tea", " black", "5", TIME]


def kept(project: Project, rows: pd.DataFrame) -> list[Path]:
    """Keep rows as read, cleaned and in quarantine, as a run does."""
    sound, refused = clean(rows, WEEK)
    tables = {"raw/interactions": rows, "prepared/clean": sound, "prepared/quarantine": refused}
    paths = [project.root / name / f"{WEEK.key}.parquet" for name in tables]
    for path, table in zip(paths, tables.values(), strict=True):
        path.parent.mkdir(parents=True)
        table.to_parquet(path, index=False)
    return paths


@pytest.mark.parametrize("delimiter", list(",;\t| :"))
@pytest.mark.parametrize("user_id", IDS)
def test_a_ragged_line_of_an_erased_user_does_not_come_in_again(
    tmp_path: Path, user_id: str, delimiter: str
) -> None:
    lines = [[each, "jam", "3", TIME] for each in OTHERS] + [ragged(each) for each in OTHERS]
    rows = as_read(tmp_path, [*lines, [user_id, "jam", "3", TIME], ragged(user_id)], delimiter)
    remember(tmp_path, user_id)
    left, erased = without_erased(tmp_path, rows)
    assert erased == 2
    pd.testing.assert_frame_equal(left, rows[: len(lines)])


@pytest.mark.parametrize("user_id", IDS)
def test_a_ragged_line_is_erased_and_those_of_others_stay(project: Project, user_id: str) -> None:
    rows = [["bob-1", "jam", "3", TIME], ragged("bob-1"), ragged(user_id)]
    raw, _, quarantine = kept(project, as_read(project.root.parent, rows))
    assert set(search([project.root], Who(user_id))) == {raw, quarantine}
    erase_user(project, dagster_home(), user_id)
    assert search([project.root], Who(user_id)) == {}
    assert list(pd.read_parquet(quarantine)["user_id"]) == [",".join(ragged("bob-1"))]
    assert len(pd.read_parquet(raw)) == 2


@pytest.mark.parametrize(
    "lines",
    [
        ["bob-1,jam,3,1", 'cyd,"tea,3,1', "{user},jam,3,1", 'eve",tea,3,1', "bob-1,jam,3,1"],
        ["bob-1,jam,3,1", "# without {user}, who left", "bob-1,jam,3,1"],
        ["bob-1,jam,3,1", "{user},jam,3,1,,,7,8", "bob-1,jam,3,1"],
    ],
    ids=["a quote over lines", "a comment", "many fields"],
)
@pytest.mark.parametrize("user_id", ["123456", "alice-77"])
def test_what_hides_in_a_line_is_erased(project: Project, user_id: str, lines: list[str]) -> None:
    path = project.root.parent / "rows.csv"
    path.write_text("\n".join([",".join(HEADER), *lines]).format(user=user_id))
    rows = numbered(read_csv(path, HEADER, Files()))
    raw, *_ = kept(project, rows)
    erase_user(project, dagster_home(), user_id)
    assert set(pd.read_parquet(raw)["user_id"]) == {"bob-1"}
    assert not any(
        user_id.encode() in each.read_bytes() for each in project.root.rglob("*.parquet")
    )
    assert set(without_erased(project.root, rows)[0]["user_id"]) == {"bob-1"}


def test_a_user_without_a_list_is_no_line() -> None:
    lists = pd.DataFrame({"user_id": ["mary smith", "smith"], "item_id": [None, None]})
    assert list(rows_of(lists, ["smith"])) == [False, True]


def test_one_whose_id_begins_another_s_is_erased_alone(project: Project) -> None:
    rows = [[each, "jam", "3", TIME] for each in ("annie", "annie.b", "annie@shop")]
    paths = kept(project, as_read(project.root.parent, rows))
    erase_user(project, dagster_home(), "annie")
    assert list(pd.read_parquet(paths[1])["user_id"]) == ["annie.b", "annie@shop"]
