"""What an asset is made by: its code and the settings that influence it.

Dagster calls an asset stale when this changes, and the weeks that are made again leave out what it
does not concern.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import reduce
from typing import Any

from collie_pipeline.code import code_version
from collie_pipeline.settings import Settings

ASKED = ("interactions", "items", "users", "columns", "time_unit", "mode", "genre_separator")
SQL = tuple(f"sql.{name}" for name in ASKED)  # not where it is asked, which holds a password
SOURCE = ("source", "demo.users", "demo.items", "demo.ratings", "demo.seed", "files", *SQL)
READ = ("files", "sql.mode", "sql.time_unit")
TARGETS = ("exports.duckdb", "exports.postgres", "exports.postgres_schema", "exports.vectors")
RATED = "prepare.min_rating", "prepare.unrated_are_positives"
PREPARE = (*RATED, "prepare.min_user_interactions", "prepare.min_item_interactions")
CLEAN = (*READ, "prepare.rating_range", "prepare.max_quarantined_share")
LISTS = ("recommend", "window_weeks", "threads")
WARM = ("models.warm_start", "models.warm_shrink")
MODELS = ("seed", "evaluation.k", *WARM, "window_weeks", "threads")
# Of keys that begin alike the longest holds. What another asset is made by comes with its data.
INFLUENCES = {
    "raw": SOURCE,
    "raw/interactions": (*SOURCE, "checks.max_volume_change", "prepare.allow_empty_weeks"),
    "prepared": (),
    "prepared/clean": CLEAN,
    "prepared/quarantine": CLEAN,
    "prepared/implicit": (*PREPARE, "window_weeks"),
    "prepared/item_features": ("features",),
    "prepared/train": ("split", "seed", "window_weeks"),
    "prepared/validation": ("split", "seed", "window_weeks"),
    "prepared/test": ("split", "seed", "window_weeks"),
    "prepared/ratings": ("window_weeks",),
    "prepared/ratings_train": ("split", "seed"),
    "prepared/ratings_validation": ("split", "seed"),
    "prepared/ratings_test": ("split", "seed"),
    "models": MODELS,
    "tuning": ("seed", "evaluation", "threads", "tuning.trials", "tuning.seconds"),
    "evaluation": ("evaluation", "threads"),
    "recommendations": LISTS,
    "recommendations/users": (*LISTS, "checks.min_coverage"),
    "recommendations/churn": ("checks.max_churn",),
    "recommendations/exports": TARGETS,
    "recommendations/report": ("source", "evaluation.k"),
}


def made_by(settings: Settings, key: str, *code: str) -> str:
    """Return a hash of the code and the settings that the asset `key` is made by.

    Parameters
    ----------
    code : see `code_version`.
    """
    values = settings.model_dump(mode="json")
    chosen = {name: _value(values, name) for name in influences(key)}
    text = json.dumps(chosen, sort_keys=True)
    return f"{code_version(*code)}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def influences(key: str) -> Sequence[str]:
    """Return the settings that the asset `key` is made by; a model has a table of its own."""
    parts = key.split("/")
    above = ("/".join(parts[:count]) for count in range(len(parts), 0, -1))
    own = INFLUENCES[next(each for each in above if each in INFLUENCES)]
    is_model = parts[0] in ("models", "tuning") and parts[1] != "champion"
    return (*own, f"models.{parts[1]}") if is_model else own


def _value(values: Any, name: str) -> Any:
    """Return the setting called `name`, with points; None for a model that has none."""
    return reduce(lambda value, part: (value or {}).get(part), name.split("."), values)
