"""The tables of a publication as databases have them: the same three, whichever were made."""

import json
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from collie_pipeline.exports.target import Rows
from collie_pipeline.storage import Publication

LISTS: Mapping[str, pa.Schema] = {
    "users": pa.schema(
        {
            "user_id": pa.string(),
            "rank": pa.int16(),
            "item_id": pa.string(),
            "score": pa.float32(),
            "source": pa.string(),
        }
    ),
    "similar_items": pa.schema(
        {
            "item_id": pa.string(),
            "rank": pa.int16(),
            "similar_item_id": pa.string(),
            "score": pa.float32(),
        }
    ),
    "new_items": pa.schema(
        {
            "bucket": pa.string(),
            "rank": pa.int16(),
            "item_id": pa.string(),
            "score": pa.float32(),
        }
    ),
}
ABOUT = pa.schema(
    {"id": pa.string(), "week": pa.string(), "model": pa.string(), "manifest": pa.string()}
)
TABLES: Mapping[str, pa.Schema] = {**LISTS, "publication": ABOUT}
SQL_TYPES: Mapping[pa.DataType, str] = {
    pa.string(): "text",
    pa.int16(): "smallint",
    pa.float32(): "real",
}


def batches(publication: Publication, name: str) -> pa.RecordBatchReader:
    """Return the rows of the table called `name`; one that was not made has none."""
    schema = TABLES[name]
    return pa.RecordBatchReader.from_batches(schema, _batches(publication, name, schema))


def _batches(publication: Publication, name: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    if name == "publication":
        yield pa.RecordBatch.from_pylist([about(publication)], schema)
    elif publication.table(name).exists():
        with pq.ParquetFile(publication.table(name)) as file:
            for batch in file.iter_batches(columns=schema.names):
                # pandas' large strings become the strings that every reader knows
                yield batch.select(schema.names).cast(schema)


def about(publication: Publication) -> dict[str, str]:
    """Return the row that says which publication this is."""
    manifest = dict(publication.manifest)
    return {
        "id": publication.id,
        "week": publication.week,
        "model": str(manifest.get("model", "")),
        "manifest": json.dumps(manifest, sort_keys=True, allow_nan=False),
    }


def row_counts(publication: Publication) -> Rows:
    """Return how many rows each of the lists has in the publication's folder."""
    return {name: _count(publication, name) for name in LISTS}


def _count(publication: Publication, name: str) -> int:
    path = publication.table(name)
    return int(pq.read_metadata(path).num_rows) if path.exists() else 0
