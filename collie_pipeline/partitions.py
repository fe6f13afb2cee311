"""Weekly partitions, and how a week looks back over its window."""

import dagster as dg

from collie_pipeline.weeks import Week


def weekly(first: Week, last: Week | None) -> dg.WeeklyPartitionsDefinition:
    """Return the Monday weeks from `first` to `last`, both included, that are over.

    Without `last` a week is one as soon as it is over, by the clock: nothing has to be loaded anew.
    """
    end = None if last is None else last.next.key
    return dg.WeeklyPartitionsDefinition(
        start_date=first.key, end_date=end, day_offset=1, timezone="UTC"
    )


def window(weeks: int) -> dg.TimeWindowPartitionMapping:
    """Map a week to itself and the `weeks` - 1 before it."""
    return dg.TimeWindowPartitionMapping(start_offset=-(weeks - 1))
