"""What this machine has to work with."""

import os
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, NamedTuple

import torch

from collie_core.baselines.ease import memory_bytes
from collie_pipeline.planning import in_words

Verdict = Literal["ok", "warn", "wrong"]
PACKAGES = ("torch", "pytorch-lightning", "dagster", "dagster-webserver", "pandas", "numpy")
MEMINFO = Path("/proc/meminfo")
SCARCE = 1 << 30  # bytes of memory, or of disk, that one run of a middling week can use up


class Finding(NamedTuple):
    """One line: what was looked at, how it is, and the way out where it is not well."""

    subject: str
    verdict: Verdict
    said: str
    way_out: str = ""


def machine() -> Iterator[Finding]:
    """Yield what there is of Python, packages, cores, memory and GPUs."""
    yield Finding("Python", "ok", f"{sys.version.split()[0]}, {sys.executable}")
    yield _packages()
    yield _cores()
    yield _memory()
    yield from _gpus()


def _packages() -> Finding:
    have = {name: installed(name) for name in PACKAGES}
    said = ", ".join(f"{name} {found}" for name, found in have.items() if found)
    if missing := [name for name, found in have.items() if not found]:
        return Finding("packages", "wrong", said, f"install {', '.join(missing)}")
    return Finding("packages", "ok", said)


def installed(package: str) -> str | None:
    """Return the version of a package, or None if it is not here."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cores() -> Finding:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = torch.get_num_threads()
    said = f"{usable} to use, {threads} threads of torch"
    if threads > (usable or 1):
        way_out = f"threads wait for each other: set OMP_NUM_THREADS={usable}"
        return Finding("cores", "warn", said, way_out)
    return Finding("cores", "ok", said)


def _memory() -> Finding:
    total = memory_bytes()
    free = min(total, _free_memory() or total)
    said = f"{in_words(free)} free of {in_words(total)}"
    if free < SCARCE:
        return Finding("memory", "warn", said, "less than 1 GiB: end what else runs")
    return Finding("memory", "ok", said)


def _free_memory() -> int | None:
    if not MEMINFO.exists():
        return None
    lines = (line.split() for line in MEMINFO.read_text().splitlines())
    return next((int(line[1]) * 1024 for line in lines if line[0] == "MemAvailable:"), None)


def _gpus() -> Iterator[Finding]:
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        name = torch.cuda.get_device_name(number)
        said = f"{name}, {in_words(free)} free of {in_words(total)}"
        yield Finding(f"GPU {number}", "ok", said)
    if torch.backends.mps.is_available():
        yield Finding("GPU", "ok", "Apple's, through mps")
    elif not torch.cuda.device_count():
        yield Finding("GPU", "ok", "none that torch can use")
