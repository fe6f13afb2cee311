from collections.abc import Iterator
from pathlib import Path

import pytest

from collie_pipeline import code
from collie_pipeline.code import PACKAGES, code_version, imported


def names(module: str) -> set[str]:
    return {path.relative_to(PACKAGES).as_posix() for path in imported(module)}


def test_a_model_is_made_by_what_it_imports_and_not_by_other_models() -> None:
    found = names("collie_core.model.deep_fm")
    assert {"collie_core/model/deep_fm.py", "collie_core/loss/warp.py"} <= found
    assert not [name for name in found if "hybrid" in name or "cold_start" in name]


def test_a_baseline_is_not_made_by_neural_models() -> None:
    assert not [name for name in names("collie_core.baselines.ease") if "/model/" in name]


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A tree of packages in place of ours: `collie_core.a` imports b by way of its package."""
    folder = tmp_path / "collie_core"
    folder.mkdir()
    (folder / "__init__.py").write_text("from collie_core.b import thing\nown = 1\n")
    (folder / "a.py").write_text("def later():\n    from collie_core import thing\n")
    (folder / "b.py").write_text("import collie_core.c\nthing = 1\n")
    (folder / "c.py").write_text("from collie_core.a import later\n")
    (folder / "d.py").write_text("from collie_core import own\n")
    monkeypatch.setattr(code, "PACKAGES", tmp_path)
    forget()
    yield folder
    forget()


def forget() -> None:
    code_version.cache_clear()
    code._names.cache_clear()


@pytest.mark.usefixtures("packages")
def test_imports_are_followed_through_packages_and_round_circles() -> None:
    assert {path.name for path in imported("collie_core.a")} == {"a.py", "b.py", "c.py"}


def test_what_a_package_defines_itself_is_in_the_package(packages: Path) -> None:
    assert packages / "__init__.py" in imported("collie_core.d")


@pytest.mark.parametrize(("changed", "differs"), [("c.py", True), ("d.py", False)])
def test_the_version_changes_with_the_code_that_is_used(
    packages: Path, changed: str, differs: bool
) -> None:
    before = code_version("collie_core.a")
    with (packages / changed).open("a") as file:
        file.write("# another line\n")
    forget()
    assert (code_version("collie_core.a") != before) == differs
