"""What is wrong with the lists that are published."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from collie_pipeline.checking.finding import Finding


def whole_lists(lists: pd.DataFrame, known: Iterable[str], k: int) -> Finding:
    """Find whether every known user has items of ranks 1..k, each once, or a reason for fewer.

    Parameters
    ----------
    lists : user_id, rank, item_id and score; a row with rank 0 is the reason of a list below k.
    known : users who must have a list.
    k : length of the lists.
    """
    listed, reasons = lists[lists["rank"] > 0], lists[lists["rank"] == 0]
    owners = set(lists["user_id"].unique())
    short = owners - _of_length(listed, "user_id", k)
    counts = {
        "without_list": len(set(known) - owners),
        "without_reason": len(short - set(reasons["user_id"])),
        "with_needless_reason": len(set(reasons["user_id"]) - short),
        **_faults(listed, "user_id", "item_id", k),
    }
    return Finding(
        not any(counts.values()),
        f"{_said(counts, 'users')}: all must have {k} items, or a reason",
        {**counts, "users": len(owners), "short_lists": len(short)},
    )


def similar_lists(lists: pd.DataFrame, k: int) -> Finding:
    """Find whether lists of similar items have ranks 1..k or fewer, each item once, never its own.

    An item that shares no user with another may have a short list, or none.

    Parameters
    ----------
    lists : item_id, rank, similar_item_id and score.
    k : length of the lists.
    """
    itself = lists.loc[lists["item_id"] == lists["similar_item_id"], "item_id"]
    counts = {
        **_faults(lists, "item_id", "similar_item_id", k),
        "with_themselves": itself.nunique(),
    }
    whole = _of_length(lists, "item_id", k)
    items = lists["item_id"].nunique()
    return Finding(
        not any(counts.values()),
        f"{_said(counts, 'items')}: all must have up to {k} others, each once",
        {**counts, "items": items, "short_lists": items - len(whole)},
    )


def new_lists(lists: pd.DataFrame, buckets: Iterable[str], length: int) -> Finding:
    """Find whether every bucket has items of ranks 1..`length`, each once.

    Parameters
    ----------
    lists : bucket, rank, item_id and score.
    buckets : all there are.
    length : of the lists.
    """
    known = set(buckets)
    counts = {
        "without_whole_list": len(known - _of_length(lists, "bucket", length)),
        "that_nobody_knows": len(set(lists["bucket"]) - known),
        **_faults(lists, "bucket", "item_id", length),
    }
    return Finding(
        not any(counts.values()),
        f"{_said(counts, 'buckets')}: all must have {length} items, each once",
        {**counts, "buckets": len(known)},
    )


def _of_length(lists: pd.DataFrame, owner: str, k: int) -> set[str]:
    """Return who has k rows in `lists`."""
    sizes = lists.groupby(owner).size()
    return set(sizes.index[sizes == k])


def _faults(lists: pd.DataFrame, owner: str, item: str, k: int) -> dict[str, int]:
    """Return how many owners have a list that is no list, by what is wrong with it."""
    ranks = lists.groupby(owner)["rank"].agg(["size", "min", "max", "nunique"])
    sizes = ranks["size"]
    gaps = (ranks["min"] != 1) | (ranks["max"] != sizes) | (ranks["nunique"] != sizes)
    twice = lists.duplicated([owner, item]) | lists[item].isna()
    return {
        "with_wrong_ranks": int((gaps | (sizes > k)).sum()),
        "with_an_item_twice_or_none": lists.loc[twice, owner].nunique(),
        "with_a_score_that_is_no_number": lists.loc[~np.isfinite(lists["score"]), owner].nunique(),
    }


def _said(counts: dict[str, int], owners: str) -> str:
    said = (f"{count} {owners} {name.replace('_', ' ')}" for name, count in counts.items())
    return "; ".join(said)


def unseen(lists: pd.DataFrame, clean: pd.DataFrame) -> Finding:
    """Find whether no list has an item that its user has met in the `clean` rows."""
    columns = ["user_id", "item_id"]
    met = lists[columns].dropna().merge(clean[columns].drop_duplicates(), on=columns)
    return Finding(
        met.empty,
        f"{len(met)} recommended items were met by their user in the window, 0 may be",
        {"seen_items": len(met)},
    )


def coverage(lists: pd.DataFrame, num_items: int, least: float) -> Finding:
    """Find whether at least the share `least` of the `num_items` candidates is in some list."""
    share = lists["item_id"].nunique() / max(1, num_items)
    return Finding(
        share >= least,
        f"{share:.1%} of the {num_items:,} items are in somebody's list, at least {least:.1%} "
        "should be: see recommendations/users, or lower checks.min_coverage",
        {"coverage": share},
        warns=True,
    )
