"""A week from a database, from the source to the publication, and what is kept of it."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from postgres_server import PASSWORD, Server
from rich.console import Console
from small_project import small_settings

from collie_pipeline.project import Project
from collie_pipeline.running import RunError, run_week
from collie_pipeline.storage import current

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
QUERY = "SELECT user_id, item_id, rating, at FROM likes WHERE at >= :start AND at < :end"


def fill(server: Server, users: int = 12, weeks: int = 4) -> None:
    rows = [
        (f"u{user}", f"i{(user // 4 * 8 + week * 5 + n) % 30}", 5, at)
        for user in range(users)
        for week in range(weeks)
        for n in range(5)
        for at in [MONDAY + timedelta(weeks=week, hours=7 * n + user)]
    ]
    with closing(server.connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS likes")
        cursor.execute(
            "CREATE TABLE likes (user_id text, item_id text, rating int, at timestamptz)"
        )
        cursor.executemany("INSERT INTO likes VALUES (%s, %s, %s, %s)", rows)


def project_of(folder: Path, url: str, query: str = QUERY) -> Project:
    sql = {"url": url, "interactions": query, "columns": {"timestamp": "at"}, "chunk_rows": 100}
    few = {"names": ["popularity"]}
    return Project(small_settings(folder / "data", source="sql", sql=sql, models=few))


@pytest.mark.slow
def test_a_week_from_a_database_is_published_and_no_url_is_kept(
    tmp_path: Path, server: Server
) -> None:
    fill(server)
    project = project_of(tmp_path, server.url)
    week = project.week()
    run_week(project, week, Console(quiet=True))
    serving = current(project.root)
    assert serving is not None
    assert serving.manifest["inputs"] == project_of(tmp_path, server.url).fingerprint(week)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 20
    for secret in (PASSWORD, "w0rd-of-the-tests", str(server.home)):
        assert not [path for path in files if secret.encode() in path.read_bytes()]


@pytest.mark.slow
def test_a_database_lost_while_a_week_is_read_leaves_no_half_and_the_next_run_is_whole(
    tmp_path: Path, server: Server
) -> None:
    fill(server)
    span = f"SELECT timestamptz '{MONDAY}', timestamptz '{MONDAY + timedelta(weeks=3)}'"
    lost = project_of(tmp_path, server.url)
    lost = Project(
        lost.settings.model_copy(
            update={"sql": lost.settings.sql.model_copy(update={"span": span})}
        )
    )
    assert lost.span
    server.kill()
    try:
        with pytest.raises((RunError, ValueError), match=r"sql\.interactions: no server") as said:
            run_week(lost, lost.week(), Console(quiet=True))
    finally:
        server.start()
    assert PASSWORD not in str(said.value)
    assert not list((lost.root / "raw").rglob("*")) or not list(lost.root.rglob("raw/*/*.parquet"))
    run_week(lost, lost.week(), Console(quiet=True))
    assert current(lost.root) is not None
