"""The tables of `collie.toml` about databases: what is read there, and what is put there."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from collie_pipeline.sections import Columns, Mode, Positive, Section, TimeUnit

Query = Annotated[str, Field(min_length=1)]


class Sql(Section):
    """Which queries of a database give what; `url` comes from the environment alone.

    `time_unit` says what the timestamp column holds: `timestamp` is a type of the database,
    `iso` is text. A week's hash of rows holds for `recheck_minutes` in a process.
    """

    url: SecretStr | None = None
    interactions: Query | None = None
    items: Query | None = None
    users: Query | None = None
    span: Query | None = None
    version: Query | None = None
    columns: Columns = Columns()
    time_unit: TimeUnit | Literal["timestamp"] = "timestamp"
    mode: Mode = "events"
    genre_separator: Annotated[str, Field(min_length=1)] = "|"
    chunk_rows: Annotated[int, Field(ge=100)] = 50_000
    recheck_minutes: Annotated[float, Field(ge=0)] = 60.0


class Exports(Section):
    """Where the tables that serve are put, beside their folder.

    `postgres_url` comes from the environment alone. A swap that readers hold up is tried again
    for `lock_seconds`.
    """

    duckdb: Path | None = None
    postgres: bool = False
    postgres_url: SecretStr | None = None
    postgres_schema: Annotated[str, Field(pattern="^[a-z_][a-z0-9_]{0,39}$")] = "collie"
    lock_seconds: Positive = 60.0
    vectors: bool = False

    @field_validator("duckdb")
    @classmethod
    def _home_is_meant(cls, path: Path | None) -> Path | None:
        return path.expanduser() if path is not None else None

    @model_validator(mode="after")
    def _knows_its_server(self) -> Self:
        if self.postgres and self.postgres_url is None:
            raise ValueError(
                "postgres is true, but nothing says which: set COLLIE_EXPORTS__POSTGRES_URL to "
                "postgresql://user:password@host/database, in the environment"
            )
        return self
