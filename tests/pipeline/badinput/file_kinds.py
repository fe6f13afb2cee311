"""Kinds of bad files."""

import gzip
import io
import zipfile
from pathlib import Path

import pyarrow as pa
from kind import FILE, HEADER, Kind, both, changed, cut_gzip, lines, noon, octets, parquet
from row_kinds import ANN, BOB, LATIN

NOON = noon()


def packed() -> bytes:
    """Return a zip archive with a CSV file."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("interactions.csv", "\n".join([",".join(HEADER), ANN, BOB]))
    return content.getvalue()


def parquet_named_csv(folder: Path) -> None:
    """Write Parquet under the name of a CSV file."""
    parquet()(folder)
    (folder / f"{FILE}.parquet").rename(folder / f"{FILE}.csv")


FILES = (
    Kind("file: empty", octets(b""), error=("is empty, 0 bytes", "write it again")),
    Kind("file: blank lines alone", octets(b"\n\n"), error=("cannot be read", "No columns")),
    Kind("file: header alone", lines(), error=("has 0 rows and no usable timestamp",)),
    Kind(
        "file: header alone, beside another with rows",
        both(lines(name=f"{FILE}-0.csv"), lines(ANN, BOB)),
    ),
    Kind("file: truncated gzip", cut_gzip, error=("csv.gz cannot be read, it is cut",)),
    Kind(
        "file: text named .gz",
        octets(b"user_id\n", f"{FILE}.csv.gz"),
        error=("csv.gz cannot be read", "Not a gzipped file"),
    ),
    Kind(
        "file: gzip named .csv",
        octets(gzip.compress(LATIN)),
        error=("cannot be read", "call it .csv.gz"),
    ),
    Kind(
        "file: gzip with UTF-16 in it",
        octets(gzip.compress(LATIN.decode("latin-1").encode("utf-16")), f"{FILE}.csv.gz"),
        error=("cannot be read", "begins as UTF-16 does", "set files.encoding = 'utf-16'"),
    ),
    Kind("file: a zip archive named .csv", octets(packed()), error=("cannot be read", "unpack it")),
    Kind(
        "file: Parquet named .csv", parquet_named_csv, error=("cannot be read", "call it .parquet")
    ),
    Kind(
        "file: CSV named .parquet",
        lines(ANN, name=f"{FILE}.parquet"),
        error=("parquet cannot be read",),
    ),
    Kind(
        "file: of another kind",
        octets(b"{}", f"{FILE}.json"),
        error=("unknown format of interactions.json", "use one of"),
    ),
    Kind(
        "file: a folder of that name",
        lambda folder: (folder / f"{FILE}.csv").mkdir(),
        error=("is not a file", "narrow the pattern"),
    ),
    Kind(
        "file: a glob that matches nothing",
        octets(b"", "ratings.csv"),
        error=("no file of", "matches 'interactions*'", "it has ['ratings.csv']"),
    ),
    Kind(
        "file: a folder that is not there",
        lambda folder: folder.rmdir(),
        error=("does not exist", "COLLIE_DATA_PATH"),
    ),
    Kind(
        "file: one without the others' column",
        both(
            changed(), octets(f"user_id,item_id,timestamp\na,b,{NOON}\n".encode(), f"{FILE}-2.csv")
        ),
        error=(f"{FILE}-2.csv has no column ['rating']",),
    ),
    Kind(
        "Parquet: lists for ids",
        parquet(user_id=pa.array([["ann"], ["bob"]])),
        error=("lists or records in column ['user_id']", "files.columns"),
    ),
    Kind(
        "Parquet: records for ratings",
        parquet(rating=pa.array([{"stars": 5}, {"stars": 3}])),
        error=("lists or records in column ['rating']",),
    ),
    Kind(
        "Parquet: decimal ratings",
        parquet(rating=pa.array(["5.0", "3.5"]).cast(pa.decimal128(3, 1))),
    ),
    Kind("Parquet: dictionary ratings", parquet(rating=pa.array([5.0, 3.0]).dictionary_encode())),
    Kind(
        "Parquet: dates for ratings",
        parquet(rating=pa.array([NOON, NOON], pa.timestamp("s"))),
        (),
        ("unparsable_rating",) * 2,
    ),
    Kind(
        "Parquet: nothing but nulls for ratings",
        parquet(rating=pa.nulls(2)),
        (),
        ("missing_rating",) * 2,
    ),
)
