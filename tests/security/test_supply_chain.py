"""What is installed and shipped: every version is pinned, and the image runs without rights."""

import re
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
OURS = "collie-pipeline"
EXTRAS = frozenset({"audit", "postgres", "pytables", "test"})
NOT_OURS = ("nvidia-", "triton", "cuda-")  # come with torch's build for GPUs, which torch pins


def pinned() -> dict[str, str]:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    pins = [line.partition("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): pin for name, _, pin in pins}


def needed() -> set[str]:
    """Return all that our requirements ask for, and what those ask for, as installed here."""
    found: set[tuple[str, frozenset[str]]] = set()
    ahead = [(OURS, EXTRAS)]
    while ahead:
        name, extras = ahead.pop()
        if (name, extras) in found:
            continue
        found.add((name, extras))
        for each in map(Requirement, _requires(name)):
            wanted = [{"extra": extra} for extra in (*extras, "")]
            if each.marker is None or any(each.marker.evaluate(case) for case in wanted):
                ahead.append((canonicalize_name(each.name), frozenset(each.extras)))
    return {name for name, _ in found} - {OURS}


def _requires(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:  # for another platform, or an extra that is not installed
        return []


def _is_installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def test_everything_that_is_needed_is_pinned() -> None:
    wanted = {name for name in needed() if _is_installed(name) and not name.startswith(NOT_OURS)}
    assert len(wanted) > 80
    assert wanted - pinned().keys() - {"pip", "setuptools"} == set()


def test_the_pins_are_in_order_and_each_once() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()[1:]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.+!]*", line) for line in lines)
    names = [canonicalize_name(line.partition("==")[0]) for line in lines]
    assert len(set(names)) == len(names)


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, each on one line, without comments."""
    text = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split()[0].upper(), line.partition(" ")[2]) for line in lines]


def test_the_image_runs_as_a_user_without_rights(instructions: list[tuple[str, str]]) -> None:
    names = [name for name, _ in instructions]
    users = [value for name, value in instructions if name == "USER"]
    assert users == ["collie"]
    after = names[names.index("USER") :]
    assert not {"RUN", "COPY", "ADD"} & set(after)  # nothing is done after rights are given up
    assert "CMD" in after
    assert any("--uid 1000" in value for name, value in instructions if name == "RUN")


def test_the_image_has_no_secrets_and_only_pinned_versions(
    instructions: list[tuple[str, str]],
) -> None:
    kept = [value for name, value in instructions if name in ("ENV", "ARG", "LABEL")]
    assert not [value for value in kept if re.search(r"(?i)pass|secret|token|webhook|_url", value)]
    installs = [value for name, value in instructions if name == "RUN" and "pip install" in value]
    for line in installs:
        for command in line.split("&&"):
            assert "pip install" not in command or "--constraint constraints.txt" in command
    assert not [value for name, value in instructions if name == "ADD"]


def test_the_image_says_whether_it_is_well(instructions: list[tuple[str, str]]) -> None:
    assert [name for name, _ in instructions].count("HEALTHCHECK") == 1


def test_what_is_private_stays_out_of_the_image(instructions: list[tuple[str, str]]) -> None:
    copied = " ".join(value for name, value in instructions if name == "COPY").split()
    assert "." not in copied  # what is not named, such as collie.toml, is not copied
    ignored = (REPOSITORY / ".dockerignore").read_text().split()
    assert {"collie.toml", "data", "dagster_home/*", "dagster_home/postgres/*"} <= set(ignored)
