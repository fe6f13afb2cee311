"""A database that fails, through the real graph: what was published serves on."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from graph_kinds import DATABASES, EVENTS, SMALL_LIGHT, Stopped
from postgres_server import PASSWORD, Server
from rich.console import Console
from small_project import small_settings

from collie_pipeline.project import Project
from collie_pipeline.running import RunError, run_week
from collie_pipeline.storage import current

pytestmark = pytest.mark.slow
DATABASE = "bad_events"


@pytest.fixture
def server(server: Server) -> Iterator[Server]:
    """The server, with a database of interactions."""
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"CREATE DATABASE {DATABASE}")
    yield server
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def fill(server: Server, kind: Stopped) -> None:
    with closing(server.connect(DATABASE)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE events (user_id text, item_id text, rating real, timestamp text)"
        )
        rows = kind.table().astype({"rating": float}).to_numpy().tolist()
        cursor.executemany("INSERT INTO events VALUES (%s, %s, %s, %s)", rows)


def project_of(server: Server, folder: Path, **changes: object) -> Project:
    sql = {"url": server.url_of(DATABASE), "interactions": EVENTS, "time_unit": "iso"}
    settings = {**SMALL_LIGHT, "sql": {**sql, **changes}}
    return Project(small_settings(folder / "data", source="sql", **settings))


def run(project: Project) -> str:
    run_week(project, project.week(), Console(quiet=True))
    serving = current(project.root)
    assert serving is not None
    assert serving.is_whole()
    return serving.id


def kill_while_it_reads(server: Server) -> None:
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        count = 0
        while not count:
            time.sleep(0.05)
            cursor.execute(asleep)
            [(count,)] = cursor.fetchall()
    server.kill()


@pytest.mark.parametrize("kind", DATABASES, ids=lambda kind: kind.name)
def test_what_was_published_serves_on_and_the_next_run_completes(
    kind: Stopped, server: Server, tmp_path: Path
) -> None:
    fill(server, kind)
    before = run(project_of(server, tmp_path))
    changes = kind.settings["sql"]
    assert isinstance(changes, dict)
    killer = threading.Thread(target=kill_while_it_reads, args=[server])
    if is_lost := "lost" in kind.name:
        killer.start()
    with pytest.raises((ValueError, RunError)) as refusal:
        run(project_of(server, tmp_path, **changes))
    if is_lost:
        killer.join()
        server.start()
    place = -1
    for part in kind.error:
        place = str(refusal.value).find(part, place + 1)
        assert place >= 0, f"{part!r} is not in its place in {refusal.value}"
    assert PASSWORD not in str(refusal.value)
    serving = current(tmp_path / "data")
    assert serving is not None
    assert serving.id == before
    assert run(project_of(server, tmp_path)) == before
