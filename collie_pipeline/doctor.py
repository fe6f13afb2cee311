"""What this machine has, which settings would be used, and what stands in the way."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from collie_pipeline.exports import targets
from collie_pipeline.machine import SCARCE, Finding, Verdict, installed, machine
from collie_pipeline.planning import counts_in, in_words, plan_table
from collie_pipeline.resources import Device
from collie_pipeline.secret_settings import secret_variables
from collie_pipeline.settings import (
    CONFIG_FILE,
    POSTGRES,
    Settings,
    SettingsError,
    home_path,
    load_settings,
)
from collie_pipeline.sources import make_source
from collie_pipeline.text import harmless

COLOURS: dict[Verdict, str] = {"ok": "green", "warn": "yellow", "wrong": "red"}
SECRETS = (POSTGRES, *secret_variables(Settings))
URL = re.compile(r"[a-z][a-z0-9+.-]+:/+[^\s'\"/][^\s'\"]*", re.IGNORECASE)
NEEDS_DATA_PATH = ("files",)


def examine() -> list[Finding]:
    """Return all findings, without secrets; what is wrong with the settings is one of them."""
    found = [*machine(), *_files_and_settings(), _dagster_home(), _postgres()]
    return [each._replace(said=_safe(each.said), way_out=_safe(each.way_out)) for each in found]


def is_well(findings: Sequence[Finding]) -> bool:
    """Return whether nothing is wrong; a warning is not."""
    return all(finding.verdict != "wrong" for finding in findings)


def findings_table(findings: Sequence[Finding]) -> Table:
    """Return a row for each finding, the way out below what is not well."""
    table = Table(box=SIMPLE, show_header=False, padding=(0, 1))
    for subject, verdict, said, way_out in findings:
        text = escape(harmless(said))
        text += f"\n[dim]{escape(harmless(way_out))}[/]" if way_out else ""
        table.add_row(f"[{COLOURS[verdict]}]{verdict}[/]", subject, text)
    return table


def newest_plan() -> Table | None:
    """Return what training on the newest prepared week needs; None without one, or a device.

    Raises
    ------
    ValueError
        If the week's file is damaged.
    """
    try:
        settings = load_settings()
        device = Device(kind=settings.device).resolve()
    except (SettingsError, dg.Failure):  # which `examine` has said
        return None
    weeks = sorted(Path(settings.root, "prepared", "train").glob("*.h5"))
    return plan_table(settings, counts_in(weeks[-1]), device) if weeks else None


def _files_and_settings() -> Iterator[Finding]:
    path = Path(os.environ.get("COLLIE_CONFIG") or CONFIG_FILE)
    said = f"{path.resolve()}" if path.is_file() else f"no {path}: defaults and COLLIE_… hold"
    yield Finding("settings file", "ok", said)
    try:
        settings = load_settings()
    except SettingsError as error:
        yield Finding("settings", "wrong", str(error))  # which says the way out itself
        return
    used = (
        f"source {settings.source}, window of {settings.window_weeks} weeks, split by "
        f"{settings.split.method}, models {', '.join(settings.models.names)}"
    )
    yield Finding("settings", "ok", used)
    yield _device(settings)
    yield from _folders(settings)
    yield _automation(settings)
    yield _exports(settings)
    if settings.source == "sql":
        yield _sql(settings)


def _safe(text: str) -> str:
    """Return `text` without the values of secret variables, and without any URL."""
    for name in SECRETS:
        if value := os.environ.get(name):
            text = text.replace(value, "…")
    return URL.sub("…", text)


def _device(settings: Settings) -> Finding:
    try:
        found = Device(kind=settings.device).resolve()
    except dg.Failure as failure:
        return Finding("device", "wrong", settings.device, str(failure.description))
    return Finding("device", "ok", f"{settings.device}, which is {found}")


def _folders(settings: Settings) -> Iterator[Finding]:
    yield _data_path(settings)
    yield _writable("root", settings.root, f"set root in {CONFIG_FILE} or COLLIE_ROOT")
    free = shutil.disk_usage(_nearest(settings.root)).free
    if free < SCARCE:
        yield Finding("disk", "warn", f"{in_words(free)} free at root", "make room, or set root")
    else:
        yield Finding("disk", "ok", f"{in_words(free)} free at root")


def _data_path(settings: Settings) -> Finding:
    path, way_out = settings.data_path, f"set data_path in {CONFIG_FILE} or COLLIE_DATA_PATH"
    if path is None:
        if settings.source in NEEDS_DATA_PATH:
            return Finding(
                "data_path", "wrong", f"not set, and {settings.source} needs it", way_out
            )
        return Finding("data_path", "ok", f"not set, and {settings.source} does without")
    try:
        count = sum(1 for _ in path.iterdir())
    except OSError as error:
        return Finding("data_path", "wrong", f"{path}: {error.strerror}", way_out)
    return Finding("data_path", "ok", f"{path}, {count} files and folders")


def _automation(settings: Settings) -> Finding:
    own = settings.automation
    webhook = "set" if own.webhook else "not set"
    schedule = f"Mondays at {own.hour} UTC" if own.schedule else "off"
    files = "watched" if own.watch_files else "not watched"
    return Finding("automation", "ok", f"schedule {schedule}, files {files}, webhook {webhook}")


def _exports(settings: Settings) -> Finding:
    try:
        named = [target.name for target in targets(settings)]
    except ValueError as error:  # which says the way out itself
        return Finding("exports", "wrong", str(error))
    return Finding("exports", "ok", ", ".join(named) or "none beside the folder of publications")


def _sql(settings: Settings) -> Finding:
    """Return whether the database answers; the weeks that it has are the answer."""
    try:
        first, last = make_source(settings).span()
    except ValueError as error:
        return Finding("source sql", "wrong", str(error))
    return Finding("source sql", "ok", f"{settings.sql.mode}, {first.key} to {last.key}")


def _dagster_home() -> Finding:
    return _writable("DAGSTER_HOME", home_path(), "set DAGSTER_HOME to a folder of yours")


def _writable(subject: str, path: Path, way_out: str) -> Finding:
    """Return whether a file can be made in `path`, or in what there is of the way to it."""
    try:
        with tempfile.TemporaryFile(dir=_nearest(path)):
            return Finding(subject, "ok", f"{path.resolve()}")
    except OSError as error:
        return Finding(subject, "wrong", f"{path} cannot be written: {error.strerror}", way_out)


def _nearest(path: Path) -> Path:
    """Return `path`, or the nearest folder or file on the way to it that is there."""
    path = path.resolve()
    return next(each for each in (path, *path.parents) if each.exists())


def _postgres() -> Finding:
    url = os.environ.get(POSTGRES)
    if not url:
        return Finding("PostgreSQL", "ok", f"{POSTGRES} is not set: runs are kept in SQLite")
    if not url.startswith("postgresql+psycopg2://"):
        way_out = "begin it with postgresql+psycopg2://"
        return Finding("PostgreSQL", "wrong", f"{POSTGRES} is set, to another driver", way_out)
    if installed("dagster-postgres") is None:
        way_out = "install collie-pipeline[postgres]"
        return Finding("PostgreSQL", "wrong", f"{POSTGRES} is set, without its package", way_out)
    return Finding("PostgreSQL", "ok", f"{POSTGRES} is set")
