"""What a database's error says, without the URL, the host or the password it was reached by."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from pydantic import SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

# A driver's own texts name the host, the user, and with some the whole connection string. They are
# told apart by these, which say as much as is needed.
CAUSES: Mapping[str, str] = {
    "authentication failed": "it refuses the user or the password",
    "no password supplied": "it asks for a password, and the URL has none",
    "could not translate host name": "the host's name is unknown",
    "no such file or directory": "no server is there",
    "connection refused": "no server answers there",
    "timeout expired": "it did not answer in time",
    "server closed the connection": "the connection was lost",
    "connection already closed": "the connection was lost",
    "ssl": "no agreement on encryption",
    "database": "it has no such database, or refuses it to this user",
    "role": "it knows no such user",
    "is starting up": "it is starting",
    "too many clients": "it has no connection left",
}


def database_fault(error: BaseException, url: SecretStr) -> str:
    """Return what went wrong, without anything of `url` that is nobody's business.

    Parameters
    ----------
    error : of psycopg2, sqlite3 or another driver, or SQLAlchemy's around it.
    url : where the database is, as SQLAlchemy or libpq write it.
    """
    original: Any = getattr(error, "orig", None) or error
    text = " ".join(str(original).split())
    if getattr(original, "pgcode", None):  # the server's answer to a statement
        said = f"{original.diag.message_primary} [{original.pgcode}]"
    elif type(original).__module__ == "sqlite3":
        said = text
    else:
        known = (cause for each, cause in CAUSES.items() if each in text.lower())
        said = next(known, type(original).__name__)
    return _without(_secrets(url), said)


def _secrets(url: SecretStr) -> list[str]:
    """Return the URL and its parts that are not to be said, the longest first."""
    whole = url.get_secret_value()
    parts = [whole]
    try:
        made = make_url(whole)
        parts += [str(made.password or ""), str(made.host or ""), *map(str, made.query.values())]
    except ArgumentError:
        parts += re.split(r"[/@:?&=]+", whole)
    parts += [unquote(part) for part in parts]
    return sorted({part for part in parts if part}, key=len, reverse=True)


def _without(secrets: list[str], text: str) -> str:
    for secret in secrets:
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "…", text)
    return text
