"""What the columns of our tables hold, as the UI shows it."""

from collections.abc import Mapping

LOW, HIGH = "_low", "_high"
COLUMNS: Mapping[str, str] = {
    "auc": "Area under the ROC curve; ties count half.",
    "bucket": "The bucket of the item, by which new items are grouped.",
    "bytes": "Size of the model's bundles.",
    "cold_users": "Test users without interactions to learn from.",
    "genres": "Genres, with | between them.",
    "hit_rate": "Whether one of the first K items is relevant.",
    "is_cold": "Whether the user has no interactions to learn from.",
    "item_id": "Outside id of the item.",
    "mapk": "Mean average precision of the first K items.",
    "mapk_cold": "MAP@K of users without interactions to learn from.",
    "mapk_warm": "MAP@K of users with interactions to learn from.",
    "model": "Name of the model.",
    "mrr": "Reciprocal rank of the first relevant item.",
    "ndcg": "Normalised discounted cumulative gain of the first K items.",
    "precision": "Share of the first K items that are relevant.",
    "publication": "Id of the publication.",
    "rank": "Place in the list, from 1.",
    "rating": "Rating as given, if there is one.",
    "reason": "Why: of a refused row, or of the gate.",
    "recall": "Share of the relevant items among the first K.",
    "recall_head": "Recall@K of the popular items, half of all interactions.",
    "recall_tail": "Recall@K of the other items.",
    "rows": "How many rows.",
    "score": "Score of the model; higher is better.",
    "seconds": "How long it took.",
    "similar_item_id": "Outside id of the item that is like it.",
    "source": "What gave the list, or why there is none.",
    "source_row": "Number of the row as read, from 1.",
    "table": "Name of the table.",
    "target": "Where it was put.",
    "timestamp": "When, in UTC.",
    "title": "Title of the item.",
    "user_id": "Outside id of the user.",
    "users": "How many users.",
    "vs_popularity": "Difference in MAP@K to popularity, user by user.",
}


def described(name: str) -> str | None:
    """Return what the column `name` holds, if it is known; an interval by its middle."""
    for end, which in ((LOW, "Lower"), (HIGH, "Upper")):
        if name.endswith(end) and (middle := name.removesuffix(end)) in COLUMNS:
            return f"{which} end of the bootstrap interval of {middle}."
    return COLUMNS.get(name)
