"""The UI as people see it: the real server over a real run, in a real browser."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from small_project import SMALL

pytestmark = pytest.mark.slow
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
HOST, PATIENCE = "127.0.0.1", 60.0
STAGES = {"raw", "prepared", "models", "evaluation", "recommendations"}
MODELS = ("popularity", "item_knn", "matrix_factorization", "cold_start")

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on PATH")


def flat(settings: dict[str, Any], above: str = "COLLIE") -> dict[str, str]:
    """Return settings as environment variables."""
    found: dict[str, str] = {}
    for name, value in settings.items():
        key = f"{above}_{name.upper()}" if above == "COLLIE" else f"{above}__{name.upper()}"
        found |= flat(value, key) if isinstance(value, dict) else {key: str(value)}
    return found


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of a project in which `collie run` has run."""
    home = tmp_path_factory.mktemp("browser")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLLIE_")}
    chosen = {"COLLIE_MODELS__NAMES": ",".join(MODELS), "COLLIE_ROOT": str(home / "data")}
    own = {**flat(SMALL), **chosen, "DAGSTER_HOME": str(home / "dagster_home"), "HOME": str(home)}
    variables = {**kept, **own}
    collie = str(Path(sys.executable).with_name("collie"))
    done = subprocess.run(
        [collie, "run"], cwd=home, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return variables


@pytest.fixture(scope="module")
def address(environment: dict[str, str]) -> Iterator[str]:
    """Where the server of the UI listens."""
    home = Path(environment["HOME"])
    with socket.socket() as chosen:
        chosen.bind((HOST, 0))
        port = str(chosen.getsockname()[1])
    module = ["-m", "collie_pipeline.definitions"]
    command = [sys.executable, "-m", "dagster_webserver", "-h", HOST, "-p", port, *module]
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log)
        try:
            url = f"http://{HOST}:{port}"
            answers(url, server, home / "server.log")
            yield url
        finally:
            server.terminate()
            server.wait(timeout=30)


def answers(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the server says who it is."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/server_info"):  # noqa: S310 - our own server
                return
        except URLError:
            time.sleep(0.2)
    pytest.fail(f"the server does not answer:\n{log.read_text()}")


def ask(url: str, query: str, **variables: Any) -> Any:
    """Return what the server's GraphQL says to `query`."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(  # noqa: S310
        f"{url}/graphql", body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        said = json.load(answer)
    assert "errors" not in said, said
    return said["data"]


def page(url: str, profile: Path) -> str:
    """Return what a browser made of the page at `url`, when all is loaded."""
    command = [
        str(CHROMIUM),
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={profile}",
        "--window-size=2400,1600",
        "--virtual-time-budget=20000",
        "--dump-dom",
        url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


def test_groups_pools_and_keys_are_those_of_the_design(address: str) -> None:
    nodes = ask(address, "{assetNodes{assetKey{path} groupName pools description}}")["assetNodes"]
    assert {node["groupName"] for node in nodes} == STAGES
    for node in nodes:
        key = "/".join(node["assetKey"]["path"])
        assert node["assetKey"]["path"][0] == node["groupName"]
        assert node["description"], key
        trains = key.startswith("models/") and not key.endswith(("popularity", "item_knn", "ease"))
        assert node["pools"] == (["gpu"] if trains else []), key


def test_every_check_of_the_week_passed(address: str) -> None:
    query = """{assetNodes{assetKey{path} assetChecksOrError{... on AssetChecks{checks{
        name executionForLatestMaterialization{status}}}}}}"""
    checks = [
        (node["assetKey"]["path"], check["name"], check["executionForLatestMaterialization"])
        for node in ask(address, query)["assetNodes"]
        for check in node["assetChecksOrError"].get("checks", [])
    ]
    assert ["evaluation", "champion"] in [path for path, _, _ in checks]
    for path, name, execution in checks:
        assert execution is not None, f"{path} {name} never ran"
        assert execution["status"] == "SUCCEEDED", f"{path} {name}"


LINEAGE = """{assetNodes{assetKey{path} assetMaterializations(limit: 1){metadataEntries{
  ... on TableSchemaMetadataEntry{schema{columns{name type description}}}
  ... on TableColumnLineageMetadataEntry{lineage{columnName columnDeps{
    columnName assetKey{path}}}}}}}}"""


def test_columns_have_types_meanings_and_lineage(address: str) -> None:
    """As the page of an asset asks for them."""
    schemas, lineage = {}, {}
    for node in ask(address, LINEAGE)["assetNodes"]:
        key = "/".join(node["assetKey"]["path"])
        for entry in node["assetMaterializations"][0]["metadataEntries"]:
            for each in entry.get("schema", {}).get("columns", []):
                schemas[key, each["name"]] = each["description"]
            for each in entry.get("lineage", []):
                lineage[key, each["columnName"]] = [
                    ("/".join(dep["assetKey"]["path"]), dep["columnName"])
                    for dep in each["columnDeps"]
                ]
    assert schemas["prepared/train", "user_id"].startswith("Number of the user")
    assert schemas["recommendations/similar_items", "item_id"] == (
        "Outside id of the item. From prepared/hdf5: item_id."
    )
    assert schemas["evaluation/leaderboard", "mrr"].endswith("and 1 more.")
    assert lineage["prepared/train", "user_id"] == [("prepared/hdf5", "user_id")]
    assert lineage["evaluation/leaderboard", "mapk_low"] == [
        (f"evaluation/{model}", "mapk") for model in sorted(MODELS)
    ]
    assert lineage["prepared/item_features", "bucket"] == [("raw/items", "genres")]
    assert lineage.keys() <= schemas.keys()


def test_the_run_is_there_and_succeeded(address: str) -> None:
    said = ask(address, "{runsOrError{... on Runs{results{status jobName}}}}")
    runs = said["runsOrError"]["results"]
    assert "weekly" in {run["jobName"] for run in runs}
    assert {run["status"] for run in runs} == {"SUCCESS"}


@needs_browser
def test_the_page_of_the_week_can_be_read(environment: dict[str, str], tmp_path: Path) -> None:
    collie = str(Path(sys.executable).with_name("collie"))
    home = environment["HOME"]
    asset = next(Path(environment["COLLIE_ROOT"], "recommendations", "report").glob("*.html"))
    before = asset.read_bytes()
    done = subprocess.run(
        [collie, "report"], cwd=home, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(asset)
    assert asset.read_bytes() == before, "the command writes what the run wrote"
    seen = page(asset.as_uri(), tmp_path)
    assert "<h2>The gate</h2>" in seen
    for name in MODELS:
        assert f"<title>{name}</title>" in seen


@needs_browser
def test_lineage_shows_every_stage_down_to_the_publication(address: str, tmp_path: Path) -> None:
    lineage = "?view=lineage&lineageScope=upstream&lineageDepth=20"
    seen = page(f"{address}/assets/recommendations/publication{lineage}", tmp_path)
    for stage in STAGES:
        assert f">{stage}<" in seen
    for name in ("interactions", "clean", "train", "item_buckets", "no_buckets", "leaderboard"):
        assert f">{name}<" in seen


@needs_browser
def test_the_leaderboard_can_be_read_on_its_page(address: str, tmp_path: Path) -> None:
    seen = page(f"{address}/assets/evaluation/leaderboard", tmp_path)
    assert "All models on the same users" in seen
    for name in (*MODELS, "mapk", "mapk_low"):
        assert name in seen
    assert "█" in seen, "the bars of MAP@K"


@needs_browser
def test_a_trained_model_shows_its_curve(address: str, tmp_path: Path) -> None:
    seen = page(f"{address}/assets/models/matrix_factorization", tmp_path)
    assert "by epoch" in seen
    assert "validation_map" in seen
