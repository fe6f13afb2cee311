"""The source `sql`, on real databases: SQLite, and a PostgreSQL that is killed half-way."""

import sqlite3
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from postgres_server import PASSWORD, Server

from collie_pipeline.preparation import clean
from collie_pipeline.settings import load_settings
from collie_pipeline.sources import Source, make_source
from collie_pipeline.weeks import Week

WEEK = Week.parse("2026-01-05")
DAY = int(WEEK.start.timestamp())
QUERY = "SELECT user_id, item_id, rating, at FROM events WHERE at >= :start AND at < :end"
ROWS = [
    ("007", "NA", 5, DAY),
    ("a", "y", 2.5, DAY + 604_799),
    ("b", "x", None, DAY + 604_800),
    ("c", "x", 3, DAY + 3 * 604_800),
]
EPOCH = "CREATE TABLE events (user_id text, item_id text, rating numeric, at bigint)"
NATIVE = "CREATE TABLE events (user_id bigint, item_id uuid, rating real, at timestamptz)"
ZONELESS = "CREATE TABLE events (user_id text, item_id text, rating real, at timestamp)"

Make = Callable[..., Source]
Execute = Callable[..., None]


class Place:
    """A database of a test's own: its URL, and what fills it."""

    def __init__(self, url: str, execute: Execute) -> None:
        self.url, self.execute = url, execute


@pytest.fixture
def lite(tmp_path: Path) -> Place:
    path = tmp_path / "events.db"

    def execute(statement: str, rows: object = ()) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executemany(statement, rows) if rows else connection.execute(statement)

    return Place(f"sqlite:///{path}", execute)


@pytest.fixture
def postgres(server: Server) -> Iterator[Place]:
    def execute(statement: str, rows: object = ()) -> None:
        with closing(server.connect("events")) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            made = statement.replace("?", "%s")
            cursor.executemany(made, rows) if rows else cursor.execute(made)

    with closing(server.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("CREATE DATABASE events")
        # whoever forgets to say UTC reads other weeks
        cursor.execute("ALTER DATABASE events SET timezone TO 'Pacific/Auckland'")
    yield Place(server.url_of("events"), execute)
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("DROP DATABASE events WITH (FORCE)")


@pytest.fixture(params=["lite", "postgres"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    found.execute(EPOCH)
    found.execute("INSERT INTO events VALUES (?, ?, ?, ?)", ROWS)
    return found


def source_of(place: Place, end: str | None = None, **changes: object) -> Source:
    own = {
        "url": place.url,
        "interactions": QUERY,
        "time_unit": "s",
        "columns": {"timestamp": "at"},
    }
    return make_source(load_settings(source="sql", end=end, sql={**own, **changes}))


def read(source: Source) -> None:
    source.span()
    source.interactions(WEEK)


def test_sql_is_a_source(place: Place) -> None:
    assert isinstance(source_of(place), Source)


def test_rows_go_to_their_week(place: Place) -> None:
    source = source_of(place)
    assert source.span() == (WEEK, Week.parse("2026-01-26"))
    found = [source.interactions(week)["user_id"].tolist() for week in (WEEK, WEEK.next)]
    assert found == [["007", "a"], ["b"]]


def test_strays_of_1970_and_of_the_future_do_not_move_the_weeks(lite: Place) -> None:
    later = int(time.time()) + 60 * 604_800
    lite.execute(EPOCH)
    strays = [("z", "x", 1, 0), ("z", "x", 1, later)]
    lite.execute("INSERT INTO events VALUES (?, ?, ?, ?)", [*ROWS, *strays])
    assert source_of(lite).span() == (WEEK, Week.parse("2026-01-26"))


def test_values_are_read_as_they_stand(place: Place) -> None:
    rows = source_of(place).interactions(WEEK)
    assert rows.columns.tolist() == ["user_id", "item_id", "rating", "timestamp", "source_row"]
    assert rows.iloc[0].tolist() == ["007", "NA", "5", str(DAY), 1]


def test_a_missing_value_reaches_the_quarantine(place: Place) -> None:
    refused = clean(source_of(place).interactions(WEEK.next), WEEK.next)[1]
    assert refused["reason"].tolist() == ["missing_rating"]


def test_week_without_rows_has_no_rows_and_the_columns(place: Place) -> None:
    rows = source_of(place).interactions(WEEK.next.next)
    assert rows.columns.tolist() == ["user_id", "item_id", "rating", "timestamp", "source_row"]
    assert [len(table) for table in clean(rows, WEEK.next.next)] == [0, 0]


@pytest.mark.parametrize(("unit", "scale"), [("ms", 1_000), ("us", 1_000_000)])
def test_whole_numbers_of_other_units_are_times(place: Place, unit: str, scale: int) -> None:
    place.execute(f"UPDATE events SET at = at * {scale}")
    source = source_of(place, time_unit=unit)
    assert source.span()[0] == WEEK
    assert len(clean(source.interactions(WEEK), WEEK, time_unit=source.time_unit)[0]) == 2


@pytest.mark.parametrize("separator", [" ", "T"])
def test_times_may_be_text(lite: Place, separator: str) -> None:
    lite.execute("CREATE TABLE events (user_id, item_id, rating, at)")
    times = ["2026-01-04", "2026-01-05", "2026-01-11", "2026-01-12"]
    rows = [(f"u{n}", "x", 1, f"{day}{separator}00:00:00") for n, day in enumerate(times)]
    lite.execute("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
    source = source_of(lite, time_unit="iso")
    assert source.interactions(WEEK)["user_id"].tolist() == ["u1", "u2"]
    assert source.span() == (WEEK.previous, WEEK.next)


def test_the_database_s_own_times_and_types_are_read(postgres: Place) -> None:
    postgres.execute(NATIVE)
    rows = [
        (2**60 + 1, "00000000-0000-0000-0000-000000000001", 4.5, "2026-01-05 00:00+00"),
        (7, "00000000-0000-0000-0000-000000000002", 1, "2026-01-12 12:00+13"),
        (None, None, None, None),
    ]
    postgres.execute("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
    source = source_of(postgres, time_unit="timestamp")
    assert source.span() == (WEEK, WEEK)
    sound = clean(source.interactions(WEEK), WEEK, time_unit=source.time_unit)[0]
    assert sound["user_id"].tolist() == [str(2**60 + 1), "7"]
    assert sound["item_id"].tolist()[1].endswith("0002")
    assert sound["timestamp"].tolist()[1] == pd.Timestamp("2026-01-11 23:00", tz="UTC")


def test_times_without_a_zone_are_utc_whatever_the_server_s_zone(postgres: Place) -> None:
    postgres.execute(ZONELESS)
    rows = [("a", "x", 1, "2026-01-05 00:00"), ("b", "x", 1, "2026-01-12 00:00")]
    postgres.execute("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
    source = source_of(postgres, time_unit="timestamp")
    assert source.interactions(WEEK)["user_id"].tolist() == ["a"]
    assert source.interactions(WEEK)["timestamp"][0] == pd.Timestamp(WEEK.start)


def test_text_in_place_of_a_time_is_refused_with_the_way_out(postgres: Place) -> None:
    postgres.execute("CREATE TABLE events (user_id text, item_id text, at timestamptz)")
    postgres.execute("INSERT INTO events VALUES ('a', 'b', '2026-01-06')")
    query = "SELECT user_id, item_id, at::text FROM events WHERE at >= :start AND at < :end"
    with pytest.raises(ValueError, match=r"timestamp is '2026-01-0.*set sql\.time_unit"):
        source_of(postgres, interactions=query, time_unit="timestamp").interactions(WEEK)


@pytest.mark.parametrize("name", ["user_id", "item_id", "rating"])
@pytest.mark.parametrize("value", ["true", "now()", "current_date", "interval '1 day'"])
def test_true_and_times_are_no_ids_and_no_ratings(postgres: Place, name: str, value: str) -> None:
    postgres.execute(EPOCH)
    postgres.execute("INSERT INTO events VALUES (?, ?, ?, ?)", ROWS)
    query = QUERY.replace(f"{name}, ", f"{value} AS {name}, ")
    with pytest.raises(ValueError, match=rf"{name} is .*, must be text or a number"):
        source_of(postgres, interactions=query).interactions(WEEK)


def test_sqlite_has_no_times_of_its_own(lite: Place) -> None:
    lite.execute(EPOCH)
    with pytest.raises(ValueError, match="SQLite does not have: use iso, s, ms"):
        source_of(lite, time_unit="timestamp").span()


def test_the_span_may_have_a_query_of_its_own(place: Place) -> None:
    span = f"SELECT {DAY}, {DAY + 604_800};"
    assert source_of(place, span=span).span() == (WEEK, WEEK.next)


def test_a_snapshot_is_whole_in_the_week_of_the_setting_end(place: Place) -> None:
    query = "SELECT user_id, item_id FROM events"
    source = source_of(place, end="2026-01-07", mode="snapshot", interactions=query, columns={})
    assert source.span() == (WEEK, WEEK)
    assert [len(source.interactions(week)) for week in (WEEK, WEEK.previous)] == [4, 0]
    assert source.fingerprint(WEEK) != source.fingerprint(WEEK.previous)


def test_items_and_users_are_those_of_their_queries(place: Place) -> None:
    place.execute("CREATE TABLE things (id text, title text, genres text)")
    place.execute("INSERT INTO things VALUES (?, ?, ?)", [("7.0", "Old", "a"), ("7", "New", "a/b")])
    items = "SELECT id AS item_id, title, genres FROM things ORDER BY title DESC"
    users = "SELECT DISTINCT user_id, rating AS stars FROM events WHERE at < :end"
    source = source_of(place, items=items, users=users, genre_separator="/")
    assert source.items(WEEK).to_numpy().tolist() == [["7", "New", "a|b"]]
    assert source.users(WEEK).columns.tolist() == ["user_id", "stars"]
    assert source.users(WEEK)["user_id"].tolist() == ["007", "a"]
    assert source.users(WEEK.next)["user_id"].tolist() == ["007", "a", "b"]


def test_genres_may_be_an_array(postgres: Place) -> None:
    items = "SELECT 1 AS item_id, ARRAY['Drama', 'War'] AS genres UNION ALL SELECT 2, NULL"
    found = source_of(postgres, items=items).items(WEEK)
    assert found.to_numpy().tolist() == [["1", "", "Drama|War"], ["2", "", ""]]


def test_without_their_queries_items_and_users_are_unknown(place: Place) -> None:
    source = source_of(place)
    assert source.items(WEEK).columns.tolist() == ["item_id", "title", "genres"]
    assert source.users(WEEK).columns.tolist() == ["user_id"]


def test_empty_items_and_users_are_tables_too(place: Place) -> None:
    none = "SELECT user_id, item_id FROM events WHERE 1 = 0"
    source = source_of(place, items=none, users=none)
    assert len(source.items(WEEK)) == len(source.users(WEEK)) == 0
    assert source.users(WEEK).columns.tolist() == ["user_id", "item_id"]


CHANGES = {
    "a value": "UPDATE events SET rating = 4 WHERE user_id = 'a'",
    "two values swapped": "UPDATE events SET rating = CASE user_id WHEN 'a' THEN 5 ELSE 2.5 END "
    f"WHERE at < {DAY + 604_800}",
    "a row less": "DELETE FROM events WHERE user_id = 'a'",
    "a row more": f"INSERT INTO events VALUES ('a', 'y', 2.5, {DAY + 604_799})",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_changes_the_fingerprint_of_its_week_alone(place: Place, change: str) -> None:
    before = [source_of(place).fingerprint(week) for week in (WEEK, WEEK.next)]
    place.execute(CHANGES[change])
    after = [source_of(place).fingerprint(week) for week in (WEEK, WEEK.next)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, True]


def test_the_order_of_rows_changes_nothing(place: Place) -> None:
    orders = [f"{QUERY} ORDER BY user_id {way}" for way in ("ASC", "DESC")]
    one, other = (source_of(place, interactions=query) for query in orders)
    pd.testing.assert_frame_equal(one.interactions(WEEK), other.interactions(WEEK))


def test_the_size_of_pieces_changes_nothing(place: Place) -> None:
    rows = [(f"u{n}", "x", n % 5, DAY + n) for n in range(1_234)]
    place.execute("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
    small, large = source_of(place, chunk_rows=100), source_of(place)
    pd.testing.assert_frame_equal(small.interactions(WEEK), large.interactions(WEEK))
    assert small.fingerprint(WEEK) == large.fingerprint(WEEK)


def test_the_fingerprint_of_rows_read_is_that_of_a_fresh_look(place: Place) -> None:
    source = source_of(place)
    source.interactions(WEEK)
    assert source.fingerprint(WEEK) == source_of(place).fingerprint(WEEK)


def test_a_fingerprint_holds_as_long_as_it_is_to(place: Place) -> None:
    patient, eager = source_of(place), source_of(place, recheck_minutes=0)
    before = patient.fingerprint(WEEK)
    assert eager.fingerprint(WEEK) == before
    place.execute(CHANGES["a value"])
    assert patient.fingerprint(WEEK) == before
    assert eager.fingerprint(WEEK) != before
    patient.interactions(WEEK)
    assert patient.fingerprint(WEEK) == eager.fingerprint(WEEK)


def test_a_version_stands_for_the_rows(place: Place) -> None:
    version = "SELECT count(*) FROM events WHERE at >= :start AND at < :end"
    before = source_of(place, version=version).fingerprint(WEEK)
    place.execute(CHANGES["a value"])
    assert source_of(place, version=version).fingerprint(WEEK) == before
    place.execute(CHANGES["a row more"])
    assert source_of(place, version=version).fingerprint(WEEK) != before


def test_items_are_part_of_the_fingerprint(place: Place) -> None:
    before, after = (
        source_of(place, items=f"SELECT item_id, '{title}' AS title FROM events").fingerprint(WEEK)
        for title in ("one", "other")
    )
    assert before != after


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"interactions": QUERY.replace("events", "evnts")}, r"sql\.interactions: .*evnts"),
        ({"interactions": "SELECT 1"}, r"has no :end and no :start, must have both"),
        ({"interactions": QUERY.replace(":end", ":stop")}, r"parameters \['stop'\]"),
        ({"interactions": QUERY.replace("rating, at", "at, at")}, r"column \['at'\] twice"),
        ({"columns": {}}, r"timestamp"),
        ({"columns": {"timestamp": "at", "user_id": "who"}}, r"no column \['who'\], only \["),
        ({"columns": {"timestamp": "at", "rating": "stars"}}, r"no column \['stars'\]"),
        ({"interactions": None}, r"sql\.interactions is not set"),
        ({"url": None}, r"sql\.url is not set.*COLLIE_SQL__URL"),
        ({"url": "swordfish"}, r"sql\.url is no URL of SQLAlchemy"),
        ({"url": "nosuch://me:swordfish@h/d"}, r"SQLAlchemy knows no nosuch"),
        ({"url": "sqlite:////nowhere/swordfish.db"}, r"file of SQLite that is not there"),
        ({"span": "SELECT 1"}, r"sql\.span gives rows of \[1\] columns"),
    ],
)
def test_what_is_wrong_is_said_with_the_setting(
    lite: Place, changes: dict[str, object], said: str
) -> None:
    lite.execute(EPOCH)
    lite.execute("INSERT INTO events VALUES (?, ?, ?, ?)", ROWS)
    source = source_of(lite, **changes)
    with pytest.raises(ValueError, match=said) as refusal:
        read(source)
    assert "swordfish" not in str(refusal.value)


def test_a_query_that_changes_rows_is_refused_and_changes_none(place: Place) -> None:
    query = "DELETE FROM events WHERE at >= :start AND at < :end"
    with pytest.raises(ValueError, match=r"gives no rows|syntax error"):
        source_of(place, interactions=query).interactions(WEEK)
    assert len(source_of(place).interactions(WEEK)) == 2


def test_no_rows_at_all_are_refused(place: Place) -> None:
    place.execute("DELETE FROM events")
    with pytest.raises(ValueError, match=r"no usable timestamp .*sql\.mode = 'snapshot'"):
        source_of(place).span()


def test_a_colon_of_postgresql_is_no_parameter(postgres: Place) -> None:
    postgres.execute(EPOCH)
    postgres.execute("INSERT INTO events VALUES (?, ?, ?, ?)", ROWS)
    query = QUERY.replace("item_id", r"item_id::text || '\:x' AS item_id")
    assert source_of(postgres, interactions=query).interactions(WEEK)["item_id"][0] == "NA:x"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("w0rd", "wrong"), "refuses the user or the password"),
        (("host=/tmp", "host=/nowhere"), "no server is there"),
        (("/events?", "/elsewhere?"), "no such database"),
    ],
)
def test_a_server_that_is_not_reached_is_said_without_the_url(
    postgres: Place, server: Server, change: tuple[str, str], said: str
) -> None:
    with pytest.raises(ValueError, match=said) as refusal:
        source_of(postgres, url=postgres.url.replace(*change)).span()
    for secret in (PASSWORD, "p%40ss", "wrong", str(server.home)):
        assert secret not in str(refusal.value)
    assert refusal.value.__suppress_context__


def test_a_server_lost_half_way_is_said_and_the_next_run_reads_all(
    postgres: Place, server: Server
) -> None:
    postgres.execute(EPOCH)
    rows = [(f"u{n}", "x", 1, DAY + n) for n in range(1_000)]
    postgres.execute("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
    slow = QUERY.replace("rating, at", "rating, at, pg_sleep(0.005)")

    def kill_while_it_streams() -> None:
        time.sleep(1)
        server.kill()

    killer = threading.Thread(target=kill_while_it_streams)
    killer.start()
    with pytest.raises(ValueError, match=r"sql\.interactions: the connection was lost") as refusal:
        source_of(postgres, interactions=slow, chunk_rows=100).interactions(WEEK)
    killer.join()
    assert PASSWORD not in str(refusal.value)
    server.start()
    assert len(source_of(postgres).interactions(WEEK)) == 1_000


def test_a_fingerprint_needs_memory_for_pieces_and_not_for_the_week(postgres: Place) -> None:
    postgres.execute(EPOCH)
    postgres.execute(
        f"INSERT INTO events SELECT repeat('u', 400) || n, 'x', 1, {DAY} + n "
        "FROM generate_series(1, 20000) n"
    )
    source = source_of(postgres, chunk_rows=1_000)
    source.fingerprint(WEEK.previous)
    tracemalloc.start()
    source.fingerprint(WEEK)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6_000_000  # the ids alone are 8 MB
