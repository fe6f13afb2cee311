"""The target `postgres`, on a real server that is read, held up and killed."""

import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg2
import pytest
from postgres_server import PASSWORD, Server
from publishing import ODD, published
from pydantic import SecretStr

from collie_pipeline.database_settings import Exports
from collie_pipeline.exports.postgres import PostgresSchema

WEEKS = ("2026-01-05", "2026-01-12")
NAMES = ("users", "similar_items", "new_items", "publication")


def target_of(server: Server, schema: str, patience: float = 20, url: str = "") -> PostgresSchema:
    secret = SecretStr(url or server.url)
    return PostgresSchema(
        Exports(postgres=True, postgres_url=secret, postgres_schema=schema, lock_seconds=patience)
    )


def ask(server: Server, query: str) -> list[tuple[Any, ...]]:
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_the_tables_are_those_of_the_folder(server: Server, schema: str, tmp_path: Path) -> None:
    publication = published(tmp_path, WEEKS[0])
    rows = target_of(server, schema).put(publication)
    found = ask(server, f'SELECT * FROM {schema}.users ORDER BY user_id COLLATE "C", rank')
    expected = pd.read_parquet(publication.table("users")).sort_values(["user_id", "rank"])
    assert [row[:3] + row[4:] for row in found] == [
        (row.user_id, row.rank, row.item_id if isinstance(row.item_id, str) else None, row.source)
        for row in expected.itertuples()
    ]
    scores = [row[3] for row in found if row[1]]
    assert scores == pytest.approx(expected.loc[expected["rank"] > 0, "score"].tolist())
    assert [row[3] for row in found if not row[1]] == [None]
    assert {row[0] for row in found} >= set(ODD)
    assert rows == {"users": 41, "similar_items": 1, "new_items": 0}


def test_what_is_held_is_read_back(server: Server, schema: str, tmp_path: Path) -> None:
    publication = published(tmp_path, WEEKS[0])
    target = target_of(server, schema)
    rows = target.put(publication)
    held = target.held()
    assert (held.publication, held.rows) == (publication.id, rows)


def test_the_manifest_can_be_asked(server: Server, schema: str, tmp_path: Path) -> None:
    target_of(server, schema).put(published(tmp_path, WEEKS[0]))
    query = f"SELECT week, model, manifest -> 'k' ->> 1 FROM {schema}.publication"
    assert ask(server, query) == [(WEEKS[0], "made", "ü")]


def test_a_look_up_goes_by_an_index(server: Server, schema: str, tmp_path: Path) -> None:
    target_of(server, schema).put(published(tmp_path, WEEKS[0], users=5_000))
    [[plan], *_] = ask(server, f"EXPLAIN SELECT * FROM {schema}.users WHERE user_id = 'u7'")
    assert "Index Scan" in plan or "Bitmap" in plan


def test_grants_and_views_of_others_outlive_the_swap(
    server: Server, schema: str, tmp_path: Path
) -> None:
    target = target_of(server, schema)
    target.put(published(tmp_path, WEEKS[0]))
    with closing(server.connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE reader_{schema} LOGIN PASSWORD %s", (PASSWORD,))
        cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO reader_{schema}")
        cursor.execute(f"GRANT SELECT ON {schema}.users TO reader_{schema}")
        cursor.execute(f"CREATE VIEW {schema}.theirs AS SELECT item_id FROM {schema}.users")
    target.put(published(tmp_path, WEEKS[1]))
    with closing(server.connect(user=f"reader_{schema}")) as own, own.cursor() as cursor:
        cursor.execute(f"SELECT item_id FROM {schema}.users WHERE rank = 1 LIMIT 1")
        assert str(cursor.fetchone()[0]).startswith(WEEKS[1])
    assert ask(server, f"SELECT item_id FROM {schema}.theirs")[0][0].startswith(WEEKS[1])


def test_the_tables_before_are_dropped_and_a_stranger_s_stay(
    server: Server, schema: str, tmp_path: Path
) -> None:
    target = target_of(server, schema)
    target.put(published(tmp_path, WEEKS[0]))
    with closing(server.connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {schema}.users_20260105_mine (n int)")
    target.put(published(tmp_path, WEEKS[1]))
    tables = ask(server, f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'")
    assert len(tables) == len(NAMES) + 1
    assert ("users_20260105_mine",) in tables


def read_all(cursor: Any, schema: str) -> tuple[str, set[str], int]:
    """Return the publication's week, the weeks that rows are of, and the rows of `users`."""
    cursor.execute(f"SELECT item_id FROM {schema}.users WHERE rank > 0")
    rows = [str(item)[:10] for (item,) in cursor.fetchall()]
    cursor.execute(f"SELECT similar_item_id FROM {schema}.similar_items")
    others = {str(item) for (item,) in cursor.fetchall()}
    cursor.execute(f"SELECT week FROM {schema}.publication")
    return cursor.fetchone()[0], {*rows, *others}, len(rows)


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_a_reader_in_a_loop_sees_one_whole_set_during_twenty_swaps(
    server: Server, schema: str, tmp_path: Path, isolation: str
) -> None:
    made = [published(tmp_path, week) for week in WEEKS]
    target = target_of(server, schema)
    target.put(made[0])
    stop, seen, faults = threading.Event(), set(), []

    def read() -> None:
        with closing(server.connect()) as connection:
            connection.set_session(isolation_level=isolation)
            while not stop.is_set():
                try:
                    with connection, connection.cursor() as cursor:
                        week, of, rows = read_all(cursor, schema)
                except psycopg2.Error as error:
                    faults.append(str(error))
                    return
                seen.add(week)
                if of != {week} or rows != 40:
                    faults.append(f"{week}: {of}, {rows} rows")

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1, 21):
        target.put(made[number % 2])
    stop.set()
    for reader in readers:
        reader.join()
    assert not faults
    assert seen == set(WEEKS)


def test_a_transaction_that_began_before_the_swap_sees_the_whole_new_set(
    server: Server, schema: str, tmp_path: Path
) -> None:
    target = target_of(server, schema)
    target.put(published(tmp_path, WEEKS[0]))
    with closing(server.connect()) as connection:
        connection.set_session(isolation_level="REPEATABLE READ")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_class")  # its snapshot is of now
            target.put(published(tmp_path, WEEKS[1]))
            assert read_all(cursor, schema) == (WEEKS[1], {WEEKS[1]}, 40)


def test_a_reader_that_stays_keeps_the_old_set_and_others_are_not_blocked(
    server: Server, schema: str, tmp_path: Path
) -> None:
    target = target_of(server, schema, patience=2)
    target.put(published(tmp_path, WEEKS[0]))
    later = published(tmp_path, WEEKS[1])
    with closing(server.connect()) as staying, staying.cursor() as cursor:
        cursor.execute(f"SELECT week FROM {schema}.publication")
        waits, done = [], threading.Event()

        def read() -> None:
            while not done.is_set():
                begin = time.monotonic()
                ask(server, f"SELECT count(*) FROM {schema}.publication")
                waits.append(time.monotonic() - begin)

        other = threading.Thread(target=read)
        other.start()
        with pytest.raises(ValueError, match=r"readers held the views .* exports\.lock_seconds"):
            target.put(later)
        done.set()
        other.join()
        assert max(waits) < 0.9
        assert read_all(cursor, schema) == (WEEKS[0], {WEEKS[0]}, 40)
    target.put(later)
    assert target.held().publication == later.id
    tables = ask(server, f"SELECT 1 FROM pg_tables WHERE schemaname = '{schema}'")
    assert len(tables) == len(NAMES)


def test_a_second_export_waits_for_the_first(server: Server, schema: str, tmp_path: Path) -> None:
    publication = published(tmp_path, WEEKS[0])
    with closing(server.connect()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", (0x636F6C6C, schema))
        with pytest.raises(ValueError, match=r"another export .* was at work"):
            target_of(server, schema, patience=0.3).put(publication)


def test_a_server_killed_while_it_copies_keeps_the_old_set(
    server: Server, schema: str, tmp_path: Path
) -> None:
    target = target_of(server, schema)
    target.put(published(tmp_path, WEEKS[0]))
    large = published(tmp_path, WEEKS[1], users=60_000)

    def kill_while_copying() -> None:
        with closing(server.connect()) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            while True:
                cursor.execute("SELECT tuples_processed FROM pg_stat_progress_copy")
                if any(copied > 1_000 for (copied,) in cursor.fetchall()):
                    server.kill()
                    return

    killer = threading.Thread(target=kill_while_copying)
    killer.start()
    with pytest.raises(ValueError, match="the connection was lost") as said:
        target.put(large)
    killer.join()
    assert PASSWORD not in str(said.value)
    server.start()
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        assert read_all(cursor, schema) == (WEEKS[0], {WEEKS[0]}, 40)
    target.put(large)
    assert target.held().rows["users"] == 120_001


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("w0rd", "wrong"), "refuses the user or the password"),
        (("host=/tmp", "host=/nowhere"), "no server is there"),
        (("/postgres?", "/elsewhere?"), "no such database"),
        (
            ("@/postgres?host=", "@127.0.0.1:1/postgres?x="),
            "DSN|no server answers|ProgrammingError",
        ),
    ],
)
def test_a_server_that_is_not_reached_is_said_without_the_url(
    server: Server, schema: str, tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    url = server.url.replace(*change)
    with pytest.raises(ValueError, match=said) as refusal:
        target_of(server, schema, url=url).put(published(tmp_path, WEEKS[0]))
    for secret in (PASSWORD, "p%40ss", "wrong", str(server.home)):
        assert secret not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


def test_a_user_who_may_not_write_is_told_so(server: Server, schema: str, tmp_path: Path) -> None:
    with closing(server.connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE r_{schema} LOGIN PASSWORD %s", (PASSWORD,))
    url = server.url.replace("collie:", f"r_{schema}:")
    with pytest.raises(ValueError, match="permission denied for database"):
        target_of(server, schema, url=url).put(published(tmp_path, WEEKS[0]))


def test_a_table_in_the_view_s_place_is_left_as_it_is(
    server: Server, schema: str, tmp_path: Path
) -> None:
    with closing(server.connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.users (n int)")
    with pytest.raises(ValueError, match='"users" is not a view'):
        target_of(server, schema).put(published(tmp_path, WEEKS[0]))
    assert ask(server, f"SELECT count(*) FROM {schema}.users") == [(0,)]


def test_a_url_of_another_database_is_refused_unrepeated() -> None:
    secret = SecretStr("mysql://me:swordfish@host/db")
    with pytest.raises(ValueError, match="begin COLLIE_EXPORTS__POSTGRES_URL with") as said:
        PostgresSchema(Exports(postgres=True, postgres_url=secret))
    assert "swordfish" not in str(said.value)
