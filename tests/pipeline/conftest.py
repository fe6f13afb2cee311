from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from postgres_server import Server, running_server
from surroundings import clean_environment, project

__all__ = ["clean_environment", "project"]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    home = tmp_path / "instance"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}")
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        yield instance


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL that runs; who kills it starts it again."""
    with running_server() as running:
        yield running


@pytest.fixture
def schema(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a schema that the test may make, and that is gone after it."""
    name = f"s{abs(hash(request.node.nodeid)) % 10**9}"
    yield name
    with closing(server.connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
