"""Findings as Dagster has them: what checks an asset promises, and what they found."""

from collections.abc import Mapping

import dagster as dg

from collie_pipeline.checking import Finding

DESCRIPTIONS: Mapping[str, str] = {
    "as_hashed": "Every file of the publication, read again in its place, is as the manifest says.",
    "churn": "How much of the lists changed since the last publication.",
    "coverage": "How much of the catalogue is in somebody's list.",
    "exported_as_published": "Every export, read back, is the publication with all its rows.",
    "few_rows_refused": "No more rows were refused than may be.",
    "finite_weights": "No weight of the model is NaN or infinite.",
    "in_one_part_each": "No pair of user and item is in two parts of the split.",
    "in_range": "Ratings are finite, and times in their week.",
    "known_items": "How many interactions are with items that raw/items does not know.",
    "metrics_in_range": "Every metric is from 0 to 1, and there where there are test users.",
    "newest_published": "The newest week that is due is published, and not only an older one.",
    "no_future_rows": "Nothing in train is later than validation and test.",
    "not_empty": "The week has rows.",
    "not_worse": "The best model is not clearly worse than the one that serves.",
    "no_test_pairs": "No pair that is to be found in prepared/test is learned from.",
    "nothing_seen": "No list has what its user has met in the window.",
    "schema": "Columns and types are those of the design.",
    "sound_lists": "Ranks are 1, 2, 3 …, no item is in a list twice, and every score is a number.",
    "unique_ids": "Nothing else is said of an id in another row.",
    "unique_rows": "No row is there twice.",
    "usual_volume": "The week has about as many rows as the last ones.",
    "whole_lists": "Every user has a whole list, or a reason why not.",
}


def promised(key: str, *names: str, blocking: bool = True) -> list[dg.AssetCheckSpec]:
    """Return the checks called `names` of the asset `key`; blocking ones stop what comes after."""
    asset = key.split("/")
    # Of no partition: the UI of Dagster 1.13 calls a partitioned check failed for as long as any
    # week is, also where it only warned, and plots by the clock all the same.
    return [
        dg.AssetCheckSpec(name, asset=asset, description=DESCRIPTIONS[name], blocking=blocking)
        for name in names
    ]


def found(key: str, name: str, finding: Finding) -> dg.AssetCheckResult:
    """Return what the check `name` of the asset `key` found; a warning never blocks."""
    warns = dg.AssetCheckSeverity.WARN if finding.warns else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=key.split("/"),
        passed=finding.passed,
        severity=warns,
        description=finding.said,
        metadata=dict(finding.numbers),
    )
