"""What the columns of our tables hold, as the UI shows it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import dagster as dg
import pandas as pd

from collie_pipeline.lineage import HIGH, LOW, column_lineage

HIDDEN = "(a user)"
SHOWN = 3  # origins of a column that its description names
COLUMNS: Mapping[str, str] = {
    "auc": "Area under the ROC curve; ties count half.",
    "bucket": "The bucket of the item, by which new items are grouped.",
    "bytes": "Size of the model's bundles.",
    "cold_users": "Test users without interactions to learn from.",
    "epochs": "Epochs it was trained: of the best, or until it was pruned.",
    "genres": "Genres, with | between them.",
    "hit_rate": "Whether one of the first K items is relevant.",
    "is_cold": "Whether the user has no interactions to learn from.",
    "item_id": "Outside id of the item.",
    "mae": "Mean absolute error on the ratings of the test, of models that learn them.",
    "mapk": "Mean average precision of the first K items.",
    "mapk_cold": "MAP@K of users without interactions to learn from.",
    "mapk_warm": "MAP@K of users with interactions to learn from.",
    "model": "Name of the model.",
    "mrr": "Reciprocal rank of the first relevant item.",
    "mse": "Mean squared error on the ratings of the test, of models that learn them.",
    "ndcg": "Normalised discounted cumulative gain of the first K items.",
    "precision": "Share of the first K items that are relevant.",
    "publication": "Id of the publication.",
    "rank": "Place in the list, from 1.",
    "rating": "Rating as given, if there is one.",
    "reason": "Why: of a refused row or trial, or of the gate.",
    "recall": "Share of the relevant items among the first K.",
    "recall_head": "Recall@K of the popular items, half of all interactions.",
    "recall_tail": "Recall@K of the other items.",
    "rows": "How many rows.",
    "score": "Score of the model; higher is better.",
    "seconds": "How long it took.",
    "similar_item_id": "Outside id of the item that is like it.",
    "source": "What gave the list, or why there is none.",
    "source_row": "Number of the row as read, from 1.",
    "state": "What became of it: complete, pruned or refused.",
    "table": "Name of the table.",
    "target": "Where it was put.",
    "timestamp": "When, in UTC.",
    "title": "Title of the item.",
    "trial": "Its number; 0 has the present settings.",
    "user_id": "Outside id of the user.",
    "users": "How many users.",
    "value": "What validation says of it: MAP@K, or the mean squared error of ratings.",
    "vs_popularity": "Difference in MAP@K to popularity, user by user.",
}
ENCODED: Mapping[str, str] = {
    "user_id": "Number of the user, from 0; the file has the outside id of each.",
    "item_id": "Number of the item, from 0; the file has the outside id of each.",
    "timestamp": "Microseconds since 1970, in UTC.",
}


def without_people(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table` with no user's id in it: what events hold stays when a user is erased."""
    return table.assign(user_id=HIDDEN) if "user_id" in table else table


def described(name: str) -> str | None:
    """Return what the column `name` holds, if it is known; an interval by its middle."""
    for end, which in ((LOW, "Lower"), (HIGH, "Upper")):
        if name.endswith(end) and (middle := name.removesuffix(end)) in COLUMNS:
            return f"{which} end of the bootstrap interval of {middle}."
    return COLUMNS.get(name)


def column_metadata(
    spec: dg.AssetSpec,
    types: Mapping[str, object],
    meanings: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return what the UI shows of the columns of a table: types, meaning, and where they are from.

    Parameters
    ----------
    spec : the asset whose table it is.
    types : type by name of the column.
    meanings : what columns hold, where it is not what they hold elsewhere.
    """
    lineage = column_lineage(spec, types)
    origins = {} if lineage is None else lineage.deps_by_column
    columns = [
        dg.TableColumn(
            name, str(kind), _explained(meanings.get(name) or described(name), origins.get(name))
        )
        for name, kind in types.items()
    ]
    return {
        "dagster/column_schema": dg.TableSchema(columns=columns),
        **({} if lineage is None else {"dagster/column_lineage": lineage}),
    }


def _explained(meaning: str | None, origins: Sequence[dg.TableColumnDep] | None) -> str | None:
    """Return what a column holds and where it is from: the open-source UI draws no lineage."""
    names = [f"{dep.asset_key.to_user_string()}: {dep.column_name}" for dep in origins or ()]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    source = f"From {', '.join(names[:SHOWN])}{more}." if names else None
    return " ".join(filter(None, (meaning, source))) or None
