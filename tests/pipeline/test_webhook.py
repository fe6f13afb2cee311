"""The webhook sensor against a real server, and the URL that nobody may see."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr
from small_project import small_settings
from ticks import at

from collie_pipeline.automation.freshness import PUBLICATION
from collie_pipeline.automation.posting import post, refuse_unsafe
from collie_pipeline.automation.webhook import publication_webhook
from collie_pipeline.definitions import make_definitions
from collie_pipeline.due import published
from collie_pipeline.project import Project

PLANTED = "T0PSECRETT0KEN"


class Hook(HTTPServer):
    """A real server that keeps what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.bodies: list[Any] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{PLANTED}"


class Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook = self.server
        assert isinstance(hook, Hook)
        hook.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(hook.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Hook() as hook:
        thread = threading.Thread(target=hook.serve_forever)
        thread.start()
        yield hook
        hook.shutdown()
        thread.join()


def hook_tick(
    project: Project, instance: dg.DagsterInstance, cursor: str | None, **later: int
) -> Any:
    clock = at(datetime.now(UTC) + timedelta(**later))
    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        return publication_webhook(project, clock).evaluate_tick(context)


def hooked(tmp_path: Path, url: str) -> Project:
    return Project(
        small_settings(
            tmp_path / "data",
            models={"names": ["popularity"]},
            automation={"webhook": url},
        )
    )


def report(instance: dg.DagsterInstance, name: str, week: str) -> None:
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            PUBLICATION,
            partition=week,
            metadata={
                "publication": name,
                "model": "item_knn",
                "folder": dg.MetadataValue.path(f"/data/{name}"),
            },
        )
    )


def test_a_publication_is_told_once_and_the_url_is_told_to_nobody(
    tmp_path: Path, hook: Hook, instance: dg.DagsterInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    project = hooked(tmp_path, hook.url)
    cursor = hook_tick(project, instance, None).cursor
    assert not hook.bodies
    week = project.span[0]
    made = make_definitions(project).resolve_job_def("weekly")
    assert made.execute_in_process(partition_key=week.key, instance=instance).success
    tick = hook_tick(project, instance, cursor)
    done = published(project, week)
    assert done is not None
    assert hook.bodies == [
        {
            "publication": done.id,
            "week": week.key,
            "model": done.manifest["model"],
            "folder": str(done.path),
            "serves": True,
        }
    ]
    hook.status = 500
    report(instance, "second", week.key)
    hook_tick(project, instance, tick.cursor)
    hook_tick(project, instance, hook_tick(project, instance, tick.cursor).cursor)
    said = capfd.readouterr()
    kept = "".join(
        file.read_bytes().decode(errors="replace")
        for folder in (tmp_path / "instance", project.root)
        for file in folder.rglob("*")
        if file.is_file()
    )
    assert PLANTED not in said.out + said.err + kept + repr(project) + str(tick)
    assert "webhook was not told of a publication: it answered 500" in said.out + said.err


def test_publications_are_told_in_order_and_none_is_left_out(
    tmp_path: Path, hook: Hook, instance: dg.DagsterInstance
) -> None:
    project = hooked(tmp_path, hook.url)
    report(instance, "before", "2026-01-05")
    cursor = hook_tick(project, instance, None).cursor
    for number in range(3):
        report(instance, f"p{number}", "2026-01-05")
    hook_tick(project, instance, cursor)
    assert [body["publication"] for body in hook.bodies] == ["p0", "p1", "p2"]
    assert not any(body["serves"] for body in hook.bodies)


def test_a_hook_that_fails_is_told_again_for_an_hour_and_fails_nothing(
    tmp_path: Path, hook: Hook, instance: dg.DagsterInstance
) -> None:
    project = hooked(tmp_path, hook.url)
    cursor = hook_tick(project, instance, None).cursor
    report(instance, "first", "2026-01-05")
    hook.status = 503
    failed = hook_tick(project, instance, cursor)
    assert failed.cursor == cursor
    assert "it answered 503" in failed.skip_message
    given_up = hook_tick(project, instance, failed.cursor, minutes=61)
    assert given_up.cursor != cursor
    hook.status = 200
    hook.bodies.clear()
    hook_tick(project, instance, given_up.cursor)
    assert not hook.bodies
    hook_tick(project, instance, failed.cursor)
    assert [body["publication"] for body in hook.bodies] == ["first"]


def test_a_redirect_is_not_followed(hook: Hook) -> None:
    hook.status = 302
    assert post(SecretStr(hook.url), {}) == "it answered 302"
    assert len(hook.bodies) == 1


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:9/{PLANTED}",
        f"http://127.0.0.1:9/a b\n{PLANTED}",
        f"http://127.0.0.1:nine/{PLANTED}",
        f"https://{PLANTED}.invalid/",
    ],
)
def test_an_error_does_not_hold_the_url(url: str) -> None:
    said = post(SecretStr(url), {})
    assert said is not None
    assert PLANTED not in said


@pytest.mark.parametrize(
    "url",
    [
        f"http://example.com/{PLANTED}",
        f"http://localhost.example.com/{PLANTED}",
        f"http://localhost@example.com/{PLANTED}",
        f"ftp://localhost/{PLANTED}",
        f"file:///{PLANTED}",
        f"https:///{PLANTED}",
        f"http://[{PLANTED}",
        PLANTED,
    ],
)
def test_a_webhook_in_the_open_is_refused_without_repeating_it(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValueError, match="not an https:// URL") as caught:
        make_definitions(hooked(tmp_path, url))
    assert PLANTED not in str(caught.value) + str(caught.value.__cause__)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("url", ["https://example.com/x", "http://localhost:80/", "http://[::1]/"])
def test_a_safe_webhook_is_taken(url: str) -> None:
    refuse_unsafe(SecretStr(url))
