"""Interactions of a few users over four weeks, in files, and the project that reads them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
from small_project import small_settings

from collie_pipeline.project import Project

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def rows(users: int = 12, weeks: int = 4) -> pd.DataFrame:
    """Each user likes five items a week, the earlier users the earlier items."""
    return pd.DataFrame(
        [
            (f"u{user}", f"i{(user // 4 * 8 + week * 5 + n) % 30}", 5, day.isoformat())
            for user in range(users)
            for week in range(weeks)
            for n in range(5)
            for day in [MONDAY + timedelta(weeks=week, hours=7 * n + user)]
        ],
        columns=["user_id", "item_id", "rating", "timestamp"],
    )


def project_of(files: Path, table: pd.DataFrame, **changes: object) -> Project:
    table.to_csv(files / "ratings.csv", index=False)
    source = {"interactions": "ratings*.csv", "time_unit": "iso"}
    if (files / "items.csv").exists():
        source["items"] = "items.csv"
    settings = small_settings(
        files.parent / "data", source="files", data_path=files, files=source, **changes
    )
    return Project(settings)
