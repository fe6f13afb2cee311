from pathlib import Path

import pandas as pd
import pytest

from collie_pipeline.preparation import clean
from collie_pipeline.settings import load_settings
from collie_pipeline.sources import Source, make_source
from collie_pipeline.weeks import Week, weeks_between

REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "ml-100k"
real = pytest.mark.skipif(not REAL.is_dir(), reason=f"needs MovieLens 100K at {REAL}")
WEEK = Week.parse("1997-09-15")
SATURDAY = 874_724_710  # the first rating of the real file


def film(item: int, title: str, released: str, *genres: int) -> str:
    flags = "|".join(str(int(genre in genres)) for genre in range(19))
    return f"{item}|{title}|{released}||http://x|{flags}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [f"1\t2\t5\t{SATURDAY}", f"2\t1\t4\t{SATURDAY + 604_800}", "3\t1\t4\t", "x\t1\t9"]
    (tmp_path / "u.data").write_text("\n".join(lines))
    users = ["1|24|M|technician|85711", "2|53|F|other|94043", "9|53|F|other|94043"]
    (tmp_path / "u.user").write_text("\n".join(users))
    films = [
        film(1, "Frühling (1995)", "01-Jan-1995", 8, 10),
        film(2, "Early (1999)", "01-Jan-1999", 15),
        film(3, "Later (1999)", "01-Jan-1999", 1),
        film(4, "unknown", "", 0),
    ]
    (tmp_path / "u.item").write_bytes("\n".join(films).encode("latin-1"))
    return tmp_path


@pytest.fixture
def source(folder: Path) -> Source:
    return make_source(load_settings(source="movielens-100k", data_path=folder))


def test_movielens_is_a_source(source: Source) -> None:
    assert isinstance(source, Source)


def test_rows_are_as_in_the_file_with_their_line(source: Source) -> None:
    rows = source.interactions(WEEK)
    assert rows.to_numpy().tolist() == [["1", "2", "5", str(SATURDAY), 1]]


def test_broken_lines_reach_the_quarantine_of_the_newest_week(source: Source) -> None:
    newest = source.span()[1]
    sound, refused = clean(source.interactions(newest), newest)
    assert sound["user_id"].tolist() == ["2"]
    assert refused["reason"].tolist() == ["missing_timestamp", "missing_timestamp"]


def test_items_have_titles_and_spelled_genres(source: Source) -> None:
    items = source.items(WEEK).set_index("item_id")
    assert items.loc["1", "title"] == "Frühling (1995)"
    assert items.loc["1", "genres"] == "Drama|Film-Noir"
    assert items.loc["4", "genres"] == ""


def test_items_are_those_released_or_rated_by_the_week(source: Source) -> None:
    assert source.items(WEEK)["item_id"].tolist() == ["1", "2", "4"]


def test_users_are_those_who_have_rated_by_the_week(source: Source) -> None:
    assert source.users(WEEK)["user_id"].tolist() == ["1"]
    assert source.users(WEEK.next)["user_id"].tolist() == ["1", "2"]


def test_postal_codes_are_not_kept(source: Source) -> None:
    assert list(source.users(WEEK).columns) == ["user_id", "age", "gender", "occupation"]


@pytest.mark.parametrize("name", ["u.data", "u.item", "u.user"])
def test_fingerprint_changes_with_every_file(source: Source, folder: Path, name: str) -> None:
    before = source.fingerprint(WEEK)
    with (folder / name).open("a") as file:
        file.write("\n")
    assert source.fingerprint(WEEK) != before


def test_wrong_data_path_is_refused_with_the_way_out(tmp_path: Path) -> None:
    source = make_source(load_settings(source="movielens-100k", data_path=tmp_path / "no"))
    with pytest.raises(ValueError, match=r"no does not exist.*set COLLIE_DATA_PATH"):
        source.span()


@real
def test_real_weeks_hold_every_rating_once_and_clean() -> None:
    source = make_source(load_settings(source="movielens-100k", data_path=REAL))
    weeks = weeks_between(*source.span())
    parts = [clean(source.interactions(week), week) for week in weeks]
    assert [week.key for week in source.span()] == ["1997-09-15", "1998-04-20"]
    assert min(len(sound) for sound, _ in parts) > 0
    assert len(pd.concat([sound for sound, _ in parts])) == 100_000
    assert sum(len(refused) for _, refused in parts) == 0


@real
def test_real_catalogue_is_whole_in_the_newest_week_but_for_unreleased_films() -> None:
    source = make_source(load_settings(source="movielens-100k", data_path=REAL.parent))
    newest = source.span()[1]
    assert len(source.users(newest)) == 943
    assert len(source.items(newest)) == 1_682
