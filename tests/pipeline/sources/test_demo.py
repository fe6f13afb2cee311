import numpy as np
import pandas as pd
import pytest

from collie_pipeline.preparation import clean
from collie_pipeline.sections import Demo
from collie_pipeline.settings import Settings, load_settings
from collie_pipeline.sources import Source, make_source
from collie_pipeline.weeks import Week, weeks_between


def small(users: int = 100, items: int = 80, ratings: int = 1_800, **more: int) -> Source:
    demo = Demo(users=users, items=items, ratings=ratings, **more)
    return make_source(Settings(source="demo", demo=demo))


@pytest.fixture(scope="module")
def source() -> Source:
    return make_source(Settings(source="demo"))


@pytest.fixture(scope="module")
def weeks(source: Source) -> list[Week]:
    return weeks_between(*source.span())


@pytest.fixture(scope="module")
def sound(source: Source, weeks: list[Week]) -> pd.DataFrame:
    return pd.concat([clean(source.interactions(week), week)[0] for week in weeks])


def test_demo_is_a_source(source: Source) -> None:
    assert isinstance(source, Source)


def test_twelve_weeks_begin_with_2026(weeks: list[Week]) -> None:
    assert (weeks[0].key, weeks[-1].key, len(weeks)) == ("2026-01-05", "2026-03-23", 12)


def test_size_is_that_of_the_issue(sound: pd.DataFrame) -> None:
    assert sound["user_id"].nunique() >= 1_000
    assert sound["item_id"].nunique() >= 800
    assert len(sound) >= 60_000


def test_ratings_are_one_to_five_about_three_and_a_half(sound: pd.DataFrame) -> None:
    assert set(sound["rating"]) == {1, 2, 3, 4, 5}
    assert sound["rating"].mean() == pytest.approx(3.5, abs=0.1)


def test_no_pair_comes_twice(sound: pd.DataFrame) -> None:
    assert not sound.duplicated(["user_id", "item_id"]).any()


def test_popularity_is_skewed(sound: pd.DataFrame) -> None:
    counts = sound["item_id"].value_counts()
    assert counts.head(len(counts) // 10).sum() > 2 * len(sound) / 10


def test_about_one_in_seven_users_and_items_come_late(source: Source, weeks: list[Week]) -> None:
    for table in (source.users, source.items):
        assert len(table(weeks[0])) / len(table(weeks[-1])) == pytest.approx(0.85, abs=0.03)


def test_no_item_is_rated_before_it_is_known(source: Source, weeks: list[Week]) -> None:
    for week in weeks[:4]:
        assert set(source.interactions(week)["item_id"].dropna()) <= set(source.items(week).item_id)


def test_titles_are_different_and_have_a_year(source: Source, weeks: list[Week]) -> None:
    titles = source.items(weeks[-1])["title"]
    assert titles.is_unique
    assert titles.str.fullmatch(r"[A-Z][A-Za-z ]+ \((19|20)\d\d\)").all()


def test_items_have_one_to_three_of_twelve_genres(source: Source, weeks: list[Week]) -> None:
    genres = source.items(weeks[-1])["genres"].str.split("|")
    assert genres.map(len).between(1, 3).all()
    assert genres.explode().nunique() == 12


def test_a_few_rows_are_dirty_in_every_week(source: Source, weeks: list[Week]) -> None:
    for week in weeks:
        raw = source.interactions(week)
        assert 0 < len(clean(raw, week)[1]) < 0.002 * len(raw)


def test_dirt_is_of_several_kinds(source: Source, weeks: list[Week]) -> None:
    reasons = set(clean(source.interactions(weeks[0]), weeks[0])[1]["reason"])
    assert reasons == {"missing_user_id", "missing_item_id", "missing_rating", "duplicate_row"}


def test_a_week_is_the_same_however_many_are_asked() -> None:
    few = small(weeks=3)
    many = small(weeks=14)
    for week in weeks_between(*few.span()):
        pd.testing.assert_frame_equal(few.interactions(week), many.interactions(week))
        pd.testing.assert_frame_equal(few.items(week), many.items(week))
        assert few.fingerprint(week) == many.fingerprint(week)


def test_another_seed_gives_other_rows() -> None:
    one, other = (small(seed=seed) for seed in (0, 1))
    week = one.span()[0]
    assert one.fingerprint(week) != other.fingerprint(week)
    assert not one.interactions(week).equals(other.interactions(week))


def test_caller_may_change_what_it_gets(source: Source, weeks: list[Week]) -> None:
    rows = source.interactions(weeks[0])
    rows["rating"] = 0.0
    assert source.interactions(weeks[0])["rating"].max() == 5


def test_a_user_rates_higher_what_fits(sound: pd.DataFrame, source: Source) -> None:
    """A user's mean rating of their own most rated genre is above that of the others."""
    genres = source.items(source.span()[1]).set_index("item_id")["genres"].str.split("|")
    rated = sound.assign(genre=sound["item_id"].map(genres)).explode("genre")
    by_genre = rated.groupby(["user_id", "genre"])["rating"].agg(["size", "mean"])
    favourite = by_genre["size"].groupby("user_id").transform("max") == by_genre["size"]
    assert by_genre["mean"][favourite].mean() > by_genre["mean"][~favourite].mean() + 0.2


def test_few_items_run_out_without_a_pair_twice() -> None:
    source = small(users=50, items=50, ratings=625, weeks=52)
    rows = pd.concat([source.interactions(week) for week in weeks_between(*source.span())])
    pairs = rows.dropna().drop_duplicates(["user_id", "item_id", "timestamp"])
    assert not pairs.duplicated(["user_id", "item_id"]).any()


def test_week_outside_is_refused_with_the_span(source: Source) -> None:
    with pytest.raises(ValueError, match="2020-01-06 is not generated, must be 2026-01-05 to"):
        source.interactions(Week.parse("2020-01-06"))


def test_start_and_end_bound_the_weeks() -> None:
    source = make_source(load_settings(start="2026-01-14", end="2026-01-20"))
    assert [week.key for week in source.span()] == ["2026-01-12", "2026-01-19"]


def test_bounds_that_leave_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match=r"2030-01-14 leaves no week.*source has 2026-01-05 to"):
        make_source(load_settings(start="2030-01-14")).span()


def test_rows_are_in_the_order_of_time(source: Source, weeks: list[Week]) -> None:
    rows = source.interactions(weeks[3])
    assert rows["timestamp"].is_monotonic_increasing
    np.testing.assert_array_equal(rows["source_row"], np.arange(1, len(rows) + 1))
