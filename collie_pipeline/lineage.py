"""Where each column comes from: column lineage, as the UI draws it."""

from collections.abc import Callable, Iterable, Mapping
from itertools import product

import dagster as dg

Rule = Callable[[str, dg.AssetSpec], Iterable[tuple[str, str]]]  # of a column: (key, column) …
LOW, HIGH = "_low", "_high"  # ends of intervals
IDS = ("user_id", "item_id")
REFERENCE = "vs_popularity"
# Columns that a table makes itself: numbers of rows, scores of a model, verdicts, names.
COMPUTED: Mapping[str, frozenset[str]] = {
    "prepared/quarantine": frozenset({"reason"}),
    "evaluation/leaderboard": frozenset({"model", "bytes", "mse", "mae"}),
    "evaluation/champion": frozenset({"serving", "passed", "reason"}),
    "recommendations/users": frozenset({"rank", "score", "source"}),
    "recommendations/similar_items": frozenset({"rank", "score"}),
    "recommendations/new_items": frozenset({"bucket", "rank", "item_id", "score"}),
    "recommendations/churn": frozenset({"segment"}),
    "recommendations/publication": frozenset({"publication", "week"}),
}


def column_lineage(spec: dg.AssetSpec, columns: Iterable[str]) -> dg.TableColumnLineage | None:
    """Return which columns of upstream tables each of `columns` is made of; None of what is raw.

    Parameters
    ----------
    spec : the asset; its table is made from the tables that it depends on.
    columns : those of the table; the ones in `COMPUTED` come from no other.
    """
    key = spec.key.to_user_string()
    rule = RULES.get(key, BY_STAGE.get(spec.key.path[0]))
    if rule is None:
        return None
    made = COMPUTED.get(key, frozenset())
    origins = {column: _deps(rule(column, spec)) for column in columns if column not in made}
    return dg.TableColumnLineage(origins)


def _deps(pairs: Iterable[tuple[str, str]]) -> list[dg.TableColumnDep]:
    return [dg.TableColumnDep(dg.AssetKey(key.split("/")), column) for key, column in pairs]


def _same(*upstream: str) -> Rule:
    """Return the rule of columns that are those of `upstream` with the same name."""
    return lambda column, _: [(key, column) for key in upstream]


def _chosen(**columns: str) -> Rule:
    """Return the rule of columns that are named, each value some `key:column`."""

    def rule(column: str, _: dg.AssetSpec) -> Iterable[tuple[str, str]]:
        pairs = (each.partition(":") for each in columns.get(column, "").split())
        return [(key, name) for key, _, name in pairs]

    return rule


def _rated(column: str, _: dg.AssetSpec) -> Iterable[tuple[str, str]]:
    """Ratings are of the users and items that have positives."""
    known = [("prepared/hdf5", column)] if column in IDS else []
    return [("prepared/clean", column), *known]


def _features(column: str, spec: dg.AssetSpec) -> Iterable[tuple[str, str]]:
    """Features are called `genres: Drama`; a decade is read from the title."""
    if column == "item_id":
        return [("prepared/hdf5", column)]
    origin = spec.metadata[column] if column == "bucket" else column.partition(": ")[0]
    return [("raw/items", "title" if origin == "decade" else origin)]


def _judged(column: str, _: dg.AssetSpec) -> Iterable[tuple[str, str]]:
    """Metrics are of a model's lists for test users, without what they had before."""
    known = ("prepared/train", "prepared/validation")
    if column == "user_id":
        return [("prepared/test", column)]
    if column == "is_cold":
        return [("prepared/train", "user_id")]
    return product(("prepared/test", *known), IDS)


def _judgements(spec: dg.AssetSpec) -> list[str]:
    """Return the tables of single models that an asset depends on."""
    keys = [dep.asset_key.to_user_string() for dep in spec.deps]
    return [
        key for key in keys if key.startswith("evaluation/") and not key.endswith("leaderboard")
    ]


def _compared(column: str, spec: dg.AssetSpec) -> Iterable[tuple[str, str]]:
    """Means over users, the ends of their intervals, and differences between models."""
    mean = column.removesuffix(LOW).removesuffix(HIGH)
    warm = ("mapk", "is_cold")
    origins: Mapping[str, tuple[str, ...]] = {
        "users": ("user_id",),
        "cold_users": ("is_cold",),
        "mapk_warm": warm,
        "mapk_cold": warm,
        REFERENCE: ("mapk",),
    }
    return product(_judgements(spec), origins.get(mean, (mean,)))


def _decided(column: str, spec: dg.AssetSpec) -> Iterable[tuple[str, str]]:
    if column.startswith("gap"):
        return product(_judgements(spec), ["mapk"])
    return [("evaluation/leaderboard", column)]


def _tried(column: str, spec: dg.AssetSpec) -> Iterable[tuple[str, str]]:
    """Values are what validation says of models of train; all else about a trial was drawn."""
    if column != "value":
        return []
    keys = [dep.asset_key.to_user_string() for dep in spec.deps]
    return product([key for key in keys if key.endswith(("train", "validation"))], IDS)


LISTS = "recommendations/users"
BY_STAGE: Mapping[str, Rule] = {"evaluation": _judged, "tuning": _tried}
RULES: Mapping[str, Rule] = {
    "prepared/clean": _same("raw/interactions"),
    "prepared/quarantine": _same("raw/interactions"),
    "prepared/implicit": _same("prepared/clean"),
    "prepared/hdf5": _same("prepared/implicit"),
    "prepared/train": _same("prepared/hdf5"),
    "prepared/validation": _same("prepared/hdf5"),
    "prepared/test": _same("prepared/hdf5"),
    "prepared/ratings": _rated,
    "prepared/ratings_train": _same("prepared/ratings"),
    "prepared/ratings_validation": _same("prepared/ratings"),
    "prepared/ratings_test": _same("prepared/ratings"),
    "prepared/item_features": _features,
    "evaluation/leaderboard": _compared,
    "evaluation/champion": _decided,
    LISTS: _chosen(
        user_id="prepared/hdf5:user_id prepared/clean:user_id raw/users:user_id",
        item_id="prepared/hdf5:item_id prepared/clean:item_id",
    ),
    "recommendations/similar_items": _chosen(
        item_id="prepared/hdf5:item_id", similar_item_id="prepared/hdf5:item_id"
    ),
    "recommendations/new_items": _chosen(),
    "recommendations/churn": _chosen(
        users=f"{LISTS}:user_id",
        new_users=f"{LISTS}:user_id",
        kept=f"{LISTS}:item_id",
        first_changed=f"{LISTS}:item_id {LISTS}:rank",
    ),
    "recommendations/publication": _chosen(model="evaluation/champion:model"),
}
