"""What a publication was made of, as its manifest says it."""

import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from collie_core.bundle import read_bundle
from collie_core.files import sha256
from collie_pipeline.code import code_version
from collie_pipeline.project import Project
from collie_pipeline.storage import serving_before
from collie_pipeline.weeks import Week

PACKAGES = ("collie-pipeline", "dagster", "h5py", "numpy", "pandas", "pyarrow", "scipy", "torch")


def provenance(
    project: Project, week: Week, model: str, champion: Path, raw: Mapping[str, str]
) -> dict[str, Any]:
    """Return what the manifest says beside its files: all that decides them, and nothing else.

    No time, no machine and no run: the same inputs are to give the same bytes.

    Parameters
    ----------
    project : the pipeline.
    week : of the publication.
    model : name of the model whose `champion` is the bundle.
    raw : the source's fingerprint of each week of the window, as it was read.
    """
    parent = serving_before(project.root, week.key)
    settings = project.settings
    return {
        "week": week.key,
        "window": [each.key for each in project.window(week)],
        "source": project.source.name,
        "raw": dict(raw),
        "clean": _clean_hashes(project, week),
        "model": model,
        "bundle": {"sha256": sha256(champion), **_of_bundle(champion)},
        "warm": {
            name: {"week": path.stem, "sha256": sha256(path)}
            for name, path in project.warm_bundles(week).items()
        },
        "inputs": project.fingerprint(week, raw),
        "settings": settings.influential(),
        "settings_sha256": settings.fingerprint(),
        "seed": settings.seed,
        "code": code_version("collie_core", "collie_pipeline"),
        "versions": {"python": platform.python_version(), **{p: version(p) for p in PACKAGES}},
        "parent": None if parent is None else {"id": parent.id, "sha256": parent.sha256},
    }


def _of_bundle(path: Path) -> dict[str, Any]:
    bundle = read_bundle(path)
    return {"class": bundle.class_name, "ids": ids_summary(bundle.ids)}


def ids_summary(ids: Mapping[str, list[str]]) -> dict[str, dict[str, Any]]:
    """Return how many outside ids there are of each kind, and the hash of all, in their order."""
    return {
        kind: {
            "count": len(names),
            "sha256": hashlib.sha256("\0".join(names).encode()).hexdigest(),
        }
        for kind, names in ids.items()
    }


def _clean_hashes(project: Project, week: Week) -> dict[str, str]:
    folder = project.root / "prepared" / "clean"
    paths = [folder / f"{each.key}.parquet" for each in project.window(week)]
    return {path.stem: sha256(path) for path in paths if path.exists()}
