"""The source `files`: Parquet or CSV(.gz) files of a folder, their columns named in settings."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from collie_pipeline.preparation.clean import FAULT
from collie_pipeline.sections import Files, Mode, TimeUnit
from collie_pipeline.settings import Settings
from collie_pipeline.sources.about import genre_texts, one_row_an_id
from collie_pipeline.sources.by_week import (
    Numbers,
    better_unit,
    bounded,
    newest_over,
    rows_of,
    span_of,
    week_numbers,
)
from collie_pipeline.sources.csv_files import together
from collie_pipeline.sources.digest import Signature, file_digest, signature, unchanged
from collie_pipeline.sources.protocol import INTERACTION_COLUMNS, ITEM_COLUMNS
from collie_pipeline.sources.tables import (
    column_names,
    find_files,
    read_columns,
    refuse_missing,
    refuse_unfit,
)
from collie_pipeline.weeks import Week


class FilesSource:
    """Interactions in files, and items and users too where `files.items`, `files.users` say so."""

    name: str = "files"
    grows: bool = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.mode: Mode = settings.files.mode
        self.time_unit: TimeUnit = settings.files.time_unit

    def span(self) -> tuple[Week, Week]:
        """See `Source`.

        A snapshot is of the week of the setting `end`, or of the last one that was over when its
        newest file was written.
        """
        if self.mode == "events":
            numbers = np.concatenate([_different_weeks(*self._times(path)) for path in self._paths])
            rows = sum(len(_weeks(*self._times(path))) for path in self._paths)
            return span_of(numbers, self.settings, self._folder, rows, self._unit_hint)
        written = max(path.stat().st_mtime for path in self._paths)
        over = Week.of(datetime.fromtimestamp(written, UTC)).previous
        week = Week.of(self.settings.end) if self.settings.end else over
        return bounded(week, week, self.settings)

    def interactions(self, week: Week) -> pd.DataFrame:
        """See `Source`; `source_row` goes on counting from one file, by name, to the next."""
        with unchanged(self._paths):
            columns = self._interaction_columns()
            parts, before = [], 0
            for path, own in self._own_rows(week):
                if own.any():
                    rows = self._read(path, columns)[own]
                    parts.append(rows.assign(source_row=before + 1 + np.flatnonzero(own)))
                before += len(own)
        if not parts:
            return pd.DataFrame(columns=[*columns, "source_row"]).astype({"source_row": "int64"})
        return together(parts)

    def items(self, week: Week) -> pd.DataFrame:  # noqa: ARG002 - a file of items has no weeks
        """See `Source`; without `files.items` nothing is known of any."""
        if self.settings.files.items is None:
            return pd.DataFrame(columns=list(ITEM_COLUMNS), dtype="str")
        paths = find_files(self._folder, self.settings.files.items)
        columns = self._columns(paths, ITEM_COLUMNS, required=("item_id",))
        items = self._whole(paths, columns)
        if "genres" in items:
            items["genres"] = genre_texts(items["genres"], self.settings.files.genre_separator)
        return one_row_an_id(items.reindex(columns=list(ITEM_COLUMNS)), "item_id").fillna("")

    def users(self, week: Week) -> pd.DataFrame:  # noqa: ARG002
        """See `Source`; without `files.users` nothing is known of any."""
        if self.settings.files.users is None:
            return pd.DataFrame(columns=["user_id"], dtype="str")
        paths = find_files(self._folder, self.settings.files.users)
        own = self.settings.files.columns.user_id
        others = [name for name in column_names(paths[0], self.settings.files) if name != own]
        columns = {"user_id": own, **{name: name for name in others}}
        return one_row_an_id(self._whole(paths, columns), "user_id")

    def fingerprint(self, week: Week) -> str:
        """See `Source`: a new file changes only the weeks that it has rows of."""
        parts = [week.key, self.settings.files.model_dump_json()]
        parts += [file_digest(path) for path, own in self._own_rows(week) if own.any()]
        for pattern in (self.settings.files.items, self.settings.files.users):
            if pattern is not None:
                parts += [file_digest(path) for path in find_files(self._folder, pattern)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @cached_property
    def _folder(self) -> Path:
        if self.settings.data_path is None:
            raise ValueError(
                "data_path is not set, the source 'files' reads its files there: set "
                "COLLIE_DATA_PATH, or data_path in collie.toml"
            )
        return self.settings.data_path

    @property
    def _paths(self) -> list[Path]:
        return find_files(self._folder, self.settings.files.interactions)

    def _times(self, path: Path) -> tuple[Signature, str, Files]:
        """Return the file, the column of it, and the settings, by which its weeks are kept."""
        return signature(path), self._interaction_columns()["timestamp"], self.settings.files

    def _unit_hint(self) -> str:
        column = self._interaction_columns()["timestamp"]
        times = read_columns(self._paths[0], [column], self.settings.files)[column]
        return better_unit(times, self.time_unit)

    def _own_rows(self, week: Week) -> Iterator[tuple[Path, npt.NDArray[np.bool_]]]:
        """Yield each file with (B,) whether its rows are read for `week`.

        Rows without a time are of the last week over that their own file has rows of, so that a
        file that comes later does not move them.
        """
        span = self.span()
        for path in self._paths:
            if self.mode == "events":
                times = self._times(path)
                newest = newest_over(_different_weeks(*times), span)
                yield path, rows_of(_weeks(*times), week, newest)
            else:
                columns = list(self._interaction_columns().values())
                rows = len(read_columns(path, columns, self.settings.files))
                yield path, np.full(rows, week == span[1])

    def _interaction_columns(self) -> dict[str, str]:
        timed = () if self.mode == "snapshot" else ("timestamp",)
        required = ("user_id", "item_id", *timed)
        return self._columns(self._paths, INTERACTION_COLUMNS, required)

    def _read(self, path: Path, columns: dict[str, str]) -> pd.DataFrame:
        """Return `columns` under our names, and `FAULT` where the file has broken lines."""
        rows = read_columns(path, list(columns.values()), self.settings.files)
        return rows.set_axis([*columns, *rows.columns[len(columns) :]], axis=1)

    def _columns(
        self, paths: list[Path], ours: tuple[str, ...], required: tuple[str, ...]
    ) -> dict[str, str]:
        """Return the files' names of `ours`; an optional one must be named or be in some file."""
        outside = self.settings.files.columns.model_dump()
        there = {name for path in paths for name in column_names(path, self.settings.files)}
        columns = {
            name: outside[name] or name
            for name in ours
            if name in required or outside[name] is not None or name in there
        }
        for path in paths:
            refuse_missing(path, list(columns.values()), self.settings.files)
            refuse_unfit(path, columns, self.settings.files)
        return columns

    def _whole(self, paths: list[Path], columns: dict[str, str]) -> pd.DataFrame:
        """Return `columns` of all `paths`, without the lines that are broken."""
        with unchanged(paths):
            rows = together([self._read(path, columns) for path in paths])
        return rows[rows[FAULT].isna()].drop(columns=FAULT) if FAULT in rows else rows


@lru_cache(maxsize=1024)
def _weeks(signed: Signature, column: str, files: Files) -> Numbers:
    return week_numbers(read_columns(signed[0], [column], files)[column], files.time_unit)


@lru_cache(maxsize=1024)
def _different_weeks(signed: Signature, column: str, files: Files) -> Numbers:
    return np.unique(_weeks(signed, column, files))
