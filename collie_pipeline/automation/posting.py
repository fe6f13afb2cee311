"""Telling a webhook of a publication, without ever telling anybody the webhook's URL."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from collie_core.fetching import is_safe

TIMEOUT_SECONDS = 10.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: where it leads to was not agreed on, and may not be https."""

    def redirect_request(self, *_: Any) -> None:
        return None


def refuse_unsafe(url: SecretStr) -> None:
    """Check that `url` is https, or http on this machine; the message does not repeat it.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not is_safe(url.get_secret_value()):
        raise ValueError(
            "automation.webhook is not an https:// URL, or http:// on localhost: set "
            "COLLIE_AUTOMATION__WEBHOOK to one"
        )


def post(url: SecretStr, message: Mapping[str, Any]) -> str | None:
    """Post `message` as JSON, and return what went wrong, or None.

    What went wrong is a status or the name of an error: the text of an error may hold the URL.
    """
    try:
        request = urllib.request.Request(  # noqa: S310 - `refuse_unsafe` has seen it
            url.get_secret_value(),
            data=json.dumps(message).encode(),
            headers={"Content-Type": "application/json", "User-Agent": "collie"},
            method="POST",
        )
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(request, timeout=TIMEOUT_SECONDS):
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return f"it answered {error.code}"
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        return f"it cannot be reached ({type(reason).__name__})"
