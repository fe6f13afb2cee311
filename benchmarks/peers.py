"""Environments of the peers: each in a folder of its own, outside the repository, made once.

    python benchmarks/peers.py [NAME ...]

They lie under `$COLLIE_PEERS`, or `~/.cache/collie/peers`. A peer that cannot be installed is no
error: why not is kept beside its folder, and told in the benchmark's table.
"""

import os
import re
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

OLD = ("numpy<2", "scipy<1.11", "pandas<2", "scikit-learn<1.6", "requests", "wheel")
# What pip installs, one call after the other: later ones may build on, or ignore, what is there.
PEERS: Mapping[str, Sequence[Sequence[str]]] = {
    "original": (
        (*OLD, "torch==2.13.0", "setuptools<81", "tables", "docstring_parser", "fire", "tqdm"),
        ("pytorch-lightning==1.9.5", "torchmetrics<1", "numpy<2"),
        ("--no-deps", "collie==1.3.1"),
    ),
    "implicit": (("implicit==0.7.3", "numpy<2.4", "pandas<3"),),
    "lightfm": (
        (*OLD, "cython<3", "setuptools<70"),
        ("--no-build-isolation", "lightfm==1.17"),
    ),
    "lenskit": (("lenskit==2025.8.1",),),
    "rectools": (("rectools==0.19.0",),),
    # never on PyPI, where `spotlight` is another project's
    "spotlight": (("torch==2.13.0", "git+https://github.com/maciejkula/spotlight.git@v0.1.6"),),
}
MADE = "installed"


def folder() -> Path:
    """Return where the environments are."""
    return Path(os.environ.get("COLLIE_PEERS", Path.home() / ".cache" / "collie" / "peers"))


def interpreter(name: str) -> Path:
    """Return the Python of a peer's environment, whether it is there or not."""
    return folder() / name / "bin" / "python"


def missing_reason(name: str) -> str | None:
    """Return why a peer cannot be run, or None if it can."""
    if (folder() / name / MADE).exists():
        return None
    log = folder() / f"{name}.log"
    if not log.exists():
        return "not installed: run benchmarks/peers.py"
    told = log.read_text().splitlines()
    errors = [line.strip() for line in told if re.search(r"fatal: |error: ", line, re.IGNORECASE)]
    return f"cannot be installed: {errors[0] if errors else log}"


def install(name: str) -> None:
    """Make the environment of a peer; what pip says is kept in its log."""
    if missing_reason(name) is None:
        return
    place = folder() / name
    venv.create(place, clear=True, with_pip=True)
    with (folder() / f"{name}.log").open("w") as log:
        for packages in PEERS[name]:
            command = [interpreter(name), "-m", "pip", "install", *packages]
            if subprocess.run(command, stdout=log, stderr=log, check=False).returncode:
                return
    (place / MADE).touch()


def main() -> None:
    """Install the peers asked for, or all."""
    folder().mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or PEERS:
        print(f"{name}: installing", flush=True)
        install(name)
        print(f"{name}: {missing_reason(name) or 'installed'}", flush=True)


if __name__ == "__main__":
    main()
