"""What becomes of a command that Dagster cannot record: one error, which names DAGSTER_HOME."""

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any, TextIO

from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from collie_pipeline.database_errors import database_fault
from collie_pipeline.settings import POSTGRES, home_path

REPEATED = "Exception while writing logger call to event log"  # Dagster prints it, and raises too


class UnrecordedError(OSError):
    """What a run does cannot be written down, so it was ended; the message says where and why."""


@contextmanager
def recorded_or_ended() -> Iterator[None]:
    """Turn what Dagster's databases raise into one error.

    Raises
    ------
    UnrecordedError
        If a database cannot be read or written.
    """
    with redirect_stderr(_Once(sys.stderr)):
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            said = database_fault(error, SecretStr(os.environ.get(POSTGRES, "")))
            raise UnrecordedError(
                f"DAGSTER_HOME {home_path()} cannot keep what is done ({said}): make room there or "
                "permit writing, and use the same command again, which goes on from what is there"
            ) from None


class _Once:
    """A stream without what is said by the error, too."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        return len(text) if text.startswith(REPEATED) else self._stream.write(text)
