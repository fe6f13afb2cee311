import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from collie_pipeline.preparation import clean
from collie_pipeline.settings import load_settings
from collie_pipeline.sources import Source, make_source
from collie_pipeline.weeks import Week

WEEK = Week.parse("2026-01-05")
DAY = int(WEEK.start.timestamp())
HEADER = "user_id,item_id,rating,timestamp"
ROWS = [f"007,NA,5,{DAY}", f"b,x,3.5,{DAY + 604_800}", "c,y,,soon"]

Make = Callable[..., Source]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def source(folder: Path) -> Make:
    def make(end: str | None = None, **files: object) -> Source:
        return make_source(load_settings(source="files", data_path=folder, files=files, end=end))

    return make


def write(path: Path, lines: list[str], encoding: str = "utf-8") -> Path:
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


def test_files_is_a_source(source: Make) -> None:
    assert isinstance(source(), Source)


def test_values_are_read_as_they_stand(folder: Path, source: Make) -> None:
    write(folder / "interactions.csv", [HEADER, *ROWS])
    row = source().interactions(WEEK).iloc[0]
    assert row.tolist() == ["007", "NA", "5", str(DAY), 1]


def test_rows_go_to_their_week_and_undated_ones_to_the_newest(folder: Path, source: Make) -> None:
    write(folder / "interactions.csv", [HEADER, *ROWS])
    assert source().span() == (WEEK, WEEK.next)
    assert source().interactions(WEEK.next)["user_id"].tolist() == ["b", "c"]


def test_undated_rows_reach_the_quarantine(folder: Path, source: Make) -> None:
    write(folder / "interactions.csv", [HEADER, *ROWS[:2], "c,y,1,soon", "d,y,1,-4"])
    refused = clean(source().interactions(WEEK.next), WEEK.next)[1]
    assert refused["reason"].tolist() == ["unparsable_timestamp", "absurd_timestamp"]


def test_rows_are_counted_on_over_files(folder: Path, source: Make) -> None:
    write(folder / "interactions-1.csv", [HEADER, *ROWS[:2]])
    write(folder / "interactions-2.csv", [HEADER, *ROWS[:1]])
    assert source().interactions(WEEK)["source_row"].tolist() == [1, 3]


def test_gzip_and_parquet_give_what_csv_gives(folder: Path, source: Make) -> None:
    table = pd.DataFrame([row.split(",") for row in ROWS], columns=HEADER.split(","))
    table.to_csv(folder / "a.csv", index=False)
    table.to_csv(folder / "b.csv.gz", index=False)
    table.to_parquet(folder / "c.parquet")
    one, *others = (source(interactions=f"{name}.*").interactions(WEEK) for name in "abc")
    for other in others:
        pd.testing.assert_frame_equal(one, other)


def test_large_integer_ids_beside_nulls_stay_exact(folder: Path, source: Make) -> None:
    ids = pd.array([2**60 + 1, None], dtype="Int64")
    table = pd.DataFrame({"user_id": ids, "item_id": [1, 2], "timestamp": [DAY, DAY]})
    table.to_parquet(folder / "interactions.parquet")
    sound, refused = clean(source().interactions(WEEK), WEEK)
    assert sound["user_id"].tolist() == [str(2**60 + 1)]
    assert refused["reason"].tolist() == ["missing_user_id"]


def test_columns_delimiter_and_encoding_are_those_of_the_settings(
    folder: Path, source: Make
) -> None:
    lines = ["Kunde;Artikel;Zeit;Rest", f"Jörg;Käse;{DAY}000;x"]
    write(folder / "interactions.csv", lines, "latin-1")
    columns = {"user_id": "Kunde", "item_id": "Artikel", "timestamp": "Zeit"}
    rows = source(columns=columns, delimiter=";", encoding="latin-1", time_unit="ms").interactions(
        WEEK
    )
    assert rows.iloc[0].to_dict() == {
        "user_id": "Jörg",
        "item_id": "Käse",
        "timestamp": DAY * 1_000,
        "source_row": 1,
    }


def test_source_without_ratings_has_no_such_column(folder: Path, source: Make) -> None:
    write(folder / "interactions.csv", ["user_id,item_id,timestamp", f"a,b,{DAY}"])
    assert "rating" not in source().interactions(WEEK)


def test_week_without_rows_has_no_rows_and_the_columns(folder: Path, source: Make) -> None:
    write(folder / "interactions.csv", [HEADER, ROWS[0], f"b,x,3,{DAY + 3 * 604_800}"])
    rows = source().interactions(WEEK.next)
    assert list(rows.columns) == ["user_id", "item_id", "rating", "timestamp", "source_row"]
    assert [len(table) for table in clean(rows, WEEK.next)] == [0, 0]


def test_snapshot_is_whole_in_the_week_of_the_setting_end(folder: Path, source: Make) -> None:
    write(folder / "interactions.csv", ["user_id,item_id", "a,b", "c,d"])
    snapshot = source(mode="snapshot", end="2026-01-07")
    assert snapshot.span() == (WEEK, WEEK)
    assert len(snapshot.interactions(WEEK)) == 2
    assert len(snapshot.interactions(WEEK.previous)) == 0


def test_snapshot_is_of_the_last_week_over_when_it_was_written(folder: Path, source: Make) -> None:
    path = write(folder / "interactions.csv", ["user_id,item_id", "a,b"])
    os.utime(path, (DAY + 8 * 86_400, DAY + 8 * 86_400))
    assert source(mode="snapshot").span() == (WEEK, WEEK)


def test_items_are_joined_to_interactions_by_clean_ids(folder: Path, source: Make) -> None:
    write(folder / "interactions.csv", [HEADER, *ROWS])
    items = ["item_id,title,genres", "7.0,Old,a", " b ,Bee,Drama/War", ",None,x", "7,New,"]
    write(folder / "items.csv", items)
    table = source(items="items.csv", genre_separator="/").items(WEEK)
    assert table.to_numpy().tolist() == [["7", "New", ""], ["b", "Bee", "Drama|War"]]


def test_genres_may_be_lists(folder: Path, source: Make) -> None:
    table = pd.DataFrame({"item_id": [1, 2], "genres": [["Drama", "War"], None]})
    table.to_parquet(folder / "items.parquet")
    items = source(items="items.parquet").items(WEEK)
    assert items.to_numpy().tolist() == [["1", "", "Drama|War"], ["2", "", ""]]


def test_users_keep_their_attributes(folder: Path, source: Make) -> None:
    write(folder / "users.csv", ["user_id,city", "b,Bonn", "a,Ulm"])
    assert source(users="users.csv").users(WEEK).to_numpy().tolist() == [
        ["a", "Ulm"],
        ["b", "Bonn"],
    ]


def test_without_their_files_items_and_users_are_unknown(source: Make) -> None:
    assert list(source().items(WEEK).columns) == ["item_id", "title", "genres"]
    assert list(source().users(WEEK).columns) == ["user_id"]
    assert len(source().items(WEEK)) == len(source().users(WEEK)) == 0


def test_new_file_changes_the_fingerprint_of_its_weeks_alone(folder: Path, source: Make) -> None:
    write(folder / "interactions-1.csv", [HEADER, ROWS[0], f"b,x,3,{DAY + 604_800}"])
    before = [source().fingerprint(week) for week in (WEEK, WEEK.next)]
    write(folder / "interactions-2.csv", [HEADER, f"z,x,3,{DAY + 604_801}"])
    after = [source().fingerprint(week) for week in (WEEK, WEEK.next)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False]


def test_touched_file_keeps_its_fingerprint(folder: Path, source: Make) -> None:
    path = write(folder / "interactions.csv", [HEADER, *ROWS])
    before = source().fingerprint(WEEK)
    os.utime(path, (1, 1))
    assert source().fingerprint(WEEK) == before


def test_changed_content_is_read_again(folder: Path, source: Make) -> None:
    path = write(folder / "interactions.csv", [HEADER, *ROWS])
    before = source().fingerprint(WEEK)
    write(path, [HEADER, ROWS[0].replace("007", "0077")])
    assert source().fingerprint(WEEK) != before
    assert source().interactions(WEEK)["user_id"].tolist() == ["0077"]


def test_unset_data_path_is_refused() -> None:
    settings = load_settings(source="files")
    with pytest.raises(ValueError, match=r"data_path is not set.*COLLIE_DATA_PATH"):
        make_source(settings).span()


def test_wrong_data_path_is_refused(source: Make, folder: Path) -> None:
    folder.rmdir()
    with pytest.raises(ValueError, match="in does not exist: set COLLIE_DATA_PATH"):
        source().span()


def test_data_path_that_is_a_file_is_refused(source: Make, folder: Path) -> None:
    folder.rmdir()
    folder.write_text("")
    with pytest.raises(ValueError, match="in is not a folder"):
        source().span()


def test_pattern_that_matches_nothing_is_refused(folder: Path, source: Make) -> None:
    write(folder / "ratings.csv", [HEADER])
    with pytest.raises(ValueError, match=r"in matches 'interactions\*': it has \['ratings.csv'\]"):
        source().span()


def test_folder_that_matches_is_refused(folder: Path, source: Make) -> None:
    (folder / "interactions.csv").mkdir()
    with pytest.raises(ValueError, match=r"interactions\.csv is not a file: narrow the pattern"):
        source().span()


def test_missing_column_is_refused_with_those_there(folder: Path, source: Make) -> None:
    write(folder / "interactions.csv", ["user,item_id,timestamp", f"a,b,{DAY}"])
    with pytest.raises(ValueError, match=r"no column \['user_id'\], only \['user', 'item_id'"):
        source().interactions(WEEK)


def test_named_rating_column_must_be_there(folder: Path, source: Make) -> None:
    write(folder / "interactions.csv", [HEADER, *ROWS])
    with pytest.raises(ValueError, match=r"interactions\.csv has no column \['stars'\]"):
        source(columns={"rating": "stars"}).interactions(WEEK)


def test_file_without_the_others_rating_is_refused(folder: Path, source: Make) -> None:
    write(folder / "interactions-1.csv", [HEADER, *ROWS])
    write(folder / "interactions-2.csv", ["user_id,item_id,timestamp", f"a,b,{DAY}"])
    with pytest.raises(ValueError, match=r"interactions-2\.csv has no column \['rating'\]"):
        source().interactions(WEEK)


@pytest.mark.parametrize(
    "name", ["interactions.csv", "interactions.csv.gz", "interactions.parquet"]
)
def test_empty_file_is_refused(folder: Path, source: Make, name: str) -> None:
    (folder / name).touch()
    with pytest.raises(ValueError, match=rf"{name} is empty, 0 bytes"):
        source().span()


def test_header_alone_is_refused(folder: Path, source: Make) -> None:
    write(folder / "interactions.csv", [HEADER])
    with pytest.raises(ValueError, match="has 0 rows and no usable timestamp"):
        source().span()


def test_blank_file_is_refused(folder: Path, source: Make) -> None:
    write(folder / "interactions.csv", ["", ""])
    with pytest.raises(ValueError, match=r"interactions\.csv cannot be read.*No columns"):
        source().span()


@pytest.mark.parametrize("left", [8, 40, 2_000])
def test_cut_gzip_is_refused(folder: Path, source: Make, left: int) -> None:
    text = "\n".join(
        [HEADER, *(f"{user * 7919 % 10007},b,3,{DAY + user}" for user in range(5_000))]
    )
    (folder / "interactions.csv.gz").write_bytes(gzip.compress(text.encode())[:left])
    with pytest.raises(ValueError, match=r"interactions\.csv\.gz cannot be read, it is cut"):
        source().span()


@pytest.mark.parametrize("left", [3, 30, -8, -1])
def test_cut_parquet_is_refused(folder: Path, source: Make, left: int) -> None:
    path = folder / "interactions.parquet"
    pd.DataFrame({"user_id": ["a"], "item_id": ["b"], "timestamp": [DAY]}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(ValueError, match=r"interactions\.parquet cannot be read, it is cut"):
        source().span()


def test_text_named_parquet_is_refused(folder: Path, source: Make) -> None:
    write(folder / "interactions.parquet", [HEADER, *ROWS])
    with pytest.raises(ValueError, match=r"interactions\.parquet cannot be read"):
        source().span()


def test_wrong_encoding_is_refused(folder: Path, source: Make) -> None:
    write(folder / "interactions.csv", [HEADER, f"Jörg,b,3,{DAY}"], "latin-1")
    with pytest.raises(ValueError, match=r"is not in utf-8 .*: set files\.encoding"):
        source().interactions(WEEK)


def test_row_with_too_many_fields_reaches_the_quarantine_whole(folder: Path, source: Make) -> None:
    lines = [HEADER, ROWS[0], f"b,x,3,{DAY},more,and more", "c,y,4", ROWS[0] + ","]
    write(folder / "interactions.csv", lines)
    sound, refused = clean(source().interactions(WEEK), WEEK)
    assert sound["user_id"].tolist() == ["007"]
    assert refused[["user_id", "reason", "source_row"]].to_numpy().tolist() == [
        [lines[2], "ragged_row", 2],
        ["c", "missing_timestamp", 3],
        ["007", "duplicate_row", 4],
    ]


def test_one_line_of_very_many_fields_is_refused(folder: Path, source: Make) -> None:
    write(folder / "interactions.csv", [HEADER, ROWS[0], "," * 500, ROWS[1]])
    with pytest.raises(ValueError, match=r"line 3 has more than 104 fields"):
        source().span()


def test_rows_that_all_have_too_many_fields_are_refused(folder: Path, source: Make) -> None:
    write(folder / "interactions.csv", [HEADER, *(f"{row},x" for row in ROWS)])
    with pytest.raises(
        ValueError, match=r"more fields than the 4 columns of its header \['user_id'"
    ):
        source().span()


def test_items_without_the_lines_that_are_broken(folder: Path, source: Make) -> None:
    write(folder / "items.csv", ["item_id,title", "a,A", "b,B, the second", "c,C"])
    assert source(items="items.csv").items(WEEK)["item_id"].tolist() == ["a", "c"]


def test_row_with_too_few_fields_reaches_the_quarantine(folder: Path, source: Make) -> None:
    write(folder / "interactions.csv", [HEADER, ROWS[0], "b,x"])
    refused = clean(source().interactions(WEEK), WEEK)[1]
    assert refused["reason"].tolist() == ["missing_rating"]


def test_other_kind_of_file_is_refused_with_the_known(folder: Path, source: Make) -> None:
    write(folder / "interactions.json", ["{}"])
    with pytest.raises(ValueError, match=r"interactions\.json.*'\.csv', '\.csv\.gz', '\.parquet'"):
        source().span()


def test_timestamps_in_the_wrong_unit_are_refused(folder: Path, source: Make) -> None:
    write(folder / "interactions.csv", [HEADER, ROWS[0]])
    with pytest.raises(ValueError, match=r"with files\.time_unit = 'iso', but 100% with 's'"):
        source(time_unit="iso").span()
