from pathlib import Path

import pytest

from collie_core.movielens import (
    get_movielens_metadata,
    read_movielens_df,
    read_movielens_df_item,
)

REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "ml-100k"
real = pytest.mark.skipif(not REAL.is_dir(), reason=f"needs MovieLens 100K at {REAL}")
FLAGS = "|".join(["0"] * 19)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "u.data").write_text("196\t242\t3\t881250949\n1\t1\t5\t874965758\n")
    (tmp_path / "u.user").write_text("1|24|M|technician|85711\n")
    film = f"1|Misérables, Les (1995)|01-Jan-1995||http://x|{FLAGS}\n".encode("latin-1")
    (tmp_path / "u.item").write_bytes(film)
    return tmp_path


def test_ids_are_decremented_unless_told_otherwise(folder: Path) -> None:
    assert read_movielens_df(folder=folder)["user_id"].tolist() == [195, 0]
    assert read_movielens_df(False, folder=folder)["item_id"].tolist() == [242, 1]


def test_titles_are_read_as_latin_1(folder: Path) -> None:
    assert read_movielens_df_item(folder=folder)["movie_title"].tolist() == [
        "Misérables, Les (1995)"
    ]


@pytest.mark.parametrize("line", ["1\t1\tx\t5", "1\t1\t3", "\t"])
def test_line_that_is_not_four_integers_is_refused(folder: Path, line: str) -> None:
    (folder / "u.data").write_text(f"1\t1\t5\t874965758\n{line}\n")
    with pytest.raises(ValueError, match=r"u\.data .*at line 2, must have four integers"):
        read_movielens_df(folder=folder)


def test_other_kind_of_item_file_is_refused(folder: Path) -> None:
    (folder / "u.item").write_text("id|title\n")
    with pytest.raises(ValueError, match=r"u\.item does not have the columns \['item_id', 'movie_"):
        read_movielens_df_item(folder=folder)


def test_data_path_variable_names_the_folder_above(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    above = tmp_path_factory.mktemp("data")
    folder.rename(above / "ml-100k")
    monkeypatch.setenv("DATA_PATH", str(above))
    assert len(read_movielens_df()) == 2


@real
def test_real_ratings_are_those_of_the_readme() -> None:
    ratings = read_movielens_df(folder=REAL)
    assert list(ratings.columns) == ["user_id", "item_id", "rating", "timestamp"]
    assert ratings.shape == (100_000, 4)
    assert (ratings.min().tolist()[:3], ratings.max().tolist()[:3]) == ([0, 0, 1], [942, 1681, 5])


@real
def test_real_items_have_the_reference_s_columns() -> None:
    items = read_movielens_df_item(folder=REAL)
    assert items.shape == (1_682, 24)
    assert items.columns[:6].tolist() == [
        "item_id", "movie_title", "release_date", "video_release_date", "IMDb_URL", "unknown",
    ]  # fmt: skip
    assert {"Film_Noir", "Sci_Fi", "Western"} <= set(items.columns)


@real
def test_real_metadata_has_the_reference_s_columns_in_order() -> None:
    metadata = get_movielens_metadata(read_movielens_df_item(folder=REAL))
    genres = (
        "action adventure animation children comedy crime documentary drama fantasy film_noir "
        "horror musical mystery romance sci_fi thriller war western unknown"
    )
    decades = "unknown 20 30 40 50 60 70 80 90"
    expected = [f"genre_{name}" for name in genres.split()]
    expected += [f"decade_{name}" for name in decades.split()]
    assert list(metadata.columns) == expected
    assert len(metadata) == 1_682


@real
def test_real_items_are_of_one_decade_each() -> None:
    metadata = get_movielens_metadata(read_movielens_df_item(folder=REAL))
    assert (metadata.filter(like="decade_").sum(axis=1) == 1).all()
    assert metadata.loc[266, "decade_unknown"] == 1  # item 267, without title and date


def test_metadata_without_a_genre_is_refused(folder: Path) -> None:
    items = read_movielens_df_item(folder=folder).drop(columns="War")
    with pytest.raises(ValueError, match=r"no column \['War'\]"):
        get_movielens_metadata(items)
