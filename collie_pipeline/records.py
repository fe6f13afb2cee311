"""What the instance remembers of assets that were made."""

import dagster as dg


def last_made(
    instance: dg.DagsterInstance, key: dg.AssetKey, week: str
) -> dg.EventLogRecord | None:
    """Return the record of the last time that the asset `key` of `week` was made, or None."""
    chosen = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[week])
    return next(iter(instance.fetch_materializations(chosen, limit=1).records), None)


def metadata_of(record: dg.EventLogRecord | None) -> dict[str, object]:
    """Return the values of the metadata in `record`, by name; none without one."""
    made = None if record is None else record.asset_materialization
    return {} if made is None else {name: each.value for name, each in made.metadata.items()}
