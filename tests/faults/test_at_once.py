"""Two at once: publications, readers of them, and commands that make the same week."""

import os
import threading
import time
from io import StringIO
from pathlib import Path

import dagster as dg
import pytest
from processes import kill, started, wait_for
from rich.console import Console
from writers import PARTITIONS, WEEK, publish_version, published_version, version_of

from collie_pipeline.running import _execute
from collie_pipeline.storage import current, publications
from collie_pipeline.waiting import making
from collie_pipeline.weeks import Week

PUBLISH = """
import sys
from pathlib import Path
from writers import WEEK, table
from collie_pipeline.storage import publish
root, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
for number in range(first, first + count):
    tables = {"users": table(number % 50), "similar_items": table(number % 50, rows=60)}
    publish(root, tables, root / "model.bundle", {"week": WEEK, "number": number})
"""
HOLD = """
import sys, time
from pathlib import Path
from rich.console import Console
from collie_pipeline.waiting import making
from collie_pipeline.weeks import Week
with making(Path(sys.argv[1]), Week.parse(sys.argv[2]), Console()):
    print("holds", flush=True)
    time.sleep(60)
"""


def test_a_reader_never_sees_a_mix_while_a_hundred_publications_flip(tmp_path: Path) -> None:
    publish_version(tmp_path, 0)
    seen = set()
    with started(PUBLISH, tmp_path, 0, 100) as process:
        while process.poll() is None:
            serving = current(tmp_path)
            assert serving is not None
            found = {version_of(serving.read(n)) for n in ("users", "similar_items")}
            assert len(found) == 1
            seen.add(serving.id)
    assert process.returncode == 0
    assert len(seen) >= 3
    serving = current(tmp_path)
    assert serving is not None
    assert serving.manifest["number"] == 99


@pytest.mark.slow
def test_two_publishers_at_once_lose_nothing(tmp_path: Path) -> None:
    publish_version(tmp_path, 0)
    with started(PUBLISH, tmp_path, 0, 8) as one, started(PUBLISH, tmp_path, 4, 8) as other:
        pass
    assert (one.returncode, other.returncode) == (0, 0)
    made = {each.manifest.get("number") for each in publications(tmp_path) if each.is_whole()}
    serving = current(tmp_path)
    assert serving is not None
    assert serving.is_whole()
    assert serving.manifest["number"] in {7, 11}
    assert serving.manifest["number"] in made
    assert not list((tmp_path / "publications").glob(".*.tmp"))


def test_a_clock_that_goes_backwards_changes_nothing(tmp_path: Path) -> None:
    for version in (0, 1):
        publish_version(tmp_path, version)
    for path in (tmp_path / "publications").rglob("*"):
        os.utime(path, (4e9, 4e9))  # written, it seems, in 2096
    publish_version(tmp_path, 2)
    assert published_version(tmp_path) == 2
    assert [each.week for each in publications(tmp_path)][-1] == "2026-01-19"
    os.utime(tmp_path / "publications" / "CURRENT", (0, 0))
    publish_version(tmp_path, 1)
    assert published_version(tmp_path) == 2


def test_a_command_waits_for_the_one_that_makes_the_week_and_says_so(tmp_path: Path) -> None:
    holder = started(HOLD, tmp_path, WEEK)
    wait_for(holder, "holds")
    said = StringIO()
    killer = threading.Thread(target=lambda: (_until(said, "waiting"), kill(holder)))
    killer.start()
    with making(tmp_path, Week.parse(WEEK), Console(file=said, width=200)) as waited:
        assert waited
    killer.join()
    assert f"{WEEK} is being made by process {holder.pid} on " in said.getvalue()
    with making(tmp_path, Week.parse(WEEK), Console(file=said)) as waited:
        assert not waited


def _until(said: StringIO, word: str) -> None:
    while word not in said.getvalue():
        time.sleep(0.01)


@pytest.fixture
def instance(tmp_path: Path) -> dg.DagsterInstance:
    (tmp_path / "dagster_home").mkdir()
    (tmp_path / "dagster_home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return dg.DagsterInstance.get()


def test_waiting_for_a_pool_is_said(instance: dg.DagsterInstance) -> None:
    @dg.asset(pool="gpu", partitions_def=PARTITIONS)
    def model() -> None:
        pass

    definitions = dg.Definitions([model], jobs=[dg.define_asset_job("weekly", "*")])
    storage = instance.event_log_storage
    storage.set_concurrency_slots("gpu", 1)
    storage.claim_concurrency_slot("gpu", "another run", "its step")
    said = StringIO()

    def free() -> None:
        _until(said, "waits")
        storage.free_concurrency_slot_for_step("another run", "its step")

    freeing = threading.Thread(target=free)
    freeing.start()
    week, console = Week.parse(WEEK), Console(file=said, width=200)
    _execute(definitions, "weekly", week, instance, console, only=["none"])
    freeing.join()
    assert f"{WEEK}  model waits: another run has the place in pool gpu" in said.getvalue()
