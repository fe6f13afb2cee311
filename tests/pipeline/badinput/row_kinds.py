"""Kinds of bad rows, CSV dialects and columns."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kind import FILE, HEADER, Kind, lines, noon, octets, sound, table

NOON = noon()
ANN, BOB = f"ann,tea,5,{NOON}", f"bob,jam,3,{NOON + 1}"
LATIN = "\n".join([",".join(HEADER), ANN, f"J\xf6rg,tea,5,{NOON}", BOB]).encode("latin-1")
TITLED = (*HEADER, "title")


def twice_in_parquet(folder: Path) -> None:
    """Write Parquet with two columns of one name."""
    plain = pa.Table.from_pandas(pd.DataFrame(sound()))
    pq.write_table(plain.append_column("rating", plain["rating"]), folder / f"{FILE}.parquet")


ROWS = (
    Kind("rows: exact duplicates", lines(ANN, ANN, BOB), reasons=("duplicate_row",)),
    Kind(
        "rows: one pair with two ratings, of which the later counts",
        lines(ANN, f"ann,tea,1,{NOON + 1}", BOB),
        ("ann", "ann", "bob"),
    ),
    Kind(
        "rows: one pair with two ratings at one time, which warns",
        lines(ANN, f"ann,tea,1,{NOON}", BOB),
        ("ann", "ann", "bob"),
    ),
    Kind("rows: too few fields", lines(ANN, "cyd,tea", BOB), reasons=("missing_rating",)),
    Kind(
        "rows: too many fields",
        lines(ANN, f"cyd,tea, black,5,{NOON}", BOB),
        reasons=("ragged_row",),
    ),
    Kind("rows: a delimiter at the end of each", lines(f"{ANN},", f"{BOB},")),
    Kind(
        "rows: all of too many fields",
        lines(f"{ANN},x", f"{BOB},x"),
        error=("more fields than the 4 columns",),
    ),
    Kind("rows: blank lines between", lines(ANN, "", BOB)),
    Kind("rows: a comment", lines(ANN, "# as of Monday", BOB), reasons=("missing_item_id",)),
    Kind("rows: Windows' line ends", lines(ANN, BOB, end="\r\n")),
    Kind("rows: old Macintosh's line ends", lines(ANN, BOB, end="\r")),
    Kind(
        "rows: quotes around all",
        lines(*(",".join(f'"{each}"' for each in row.split(",")) for row in (ANN, BOB))),
    ),
    Kind(
        "rows: a quoted delimiter in another column",
        table([{**row, "title": "a, b"} for row in sound()], TITLED),
    ),
    Kind(
        "rows: a quoted line break in another column",
        table([{**row, "title": "a\nb"} for row in sound()], TITLED),
    ),
    Kind(
        "rows: a quote that opens and closes lines later",
        lines(ANN, f'"cyd,tea,5,{NOON}', f'dan",jam,5,{NOON}', BOB),
        reasons=("absurd_id",),
    ),
    Kind(
        "rows: a quote that is never closed",
        lines(ANN, f'"cyd,tea,5,{NOON}', BOB),
        error=("cannot be read", "EOF inside string"),
    ),
    Kind(
        "CSV: wrong delimiter",
        table(sound(), delimiter=";"),
        error=("no column ['user_id', 'item_id', 'timestamp']", "set files.delimiter = ';'"),
    ),
    Kind("CSV: tabs", table(sound(), delimiter="\t"), error=("set files.delimiter = '\\t'",)),
    Kind(
        "CSV: wrong encoding",
        octets(LATIN),
        error=("is not in utf-8", "byte 0xf6 at offset 55, line 3", "set files.encoding"),
    ),
    Kind(
        "CSV: wrong encoding, named",
        octets(LATIN),
        ("J\xf6rg", "ann", "bob"),
        files={"encoding": "latin-1"},
    ),
    Kind(
        "CSV: UTF-16",
        lines(ANN, BOB, encoding="utf-16"),
        error=("begins as UTF-16 does", "set files.encoding = 'utf-16'"),
    ),
    Kind(
        "CSV: UTF-16 without its mark",
        lines(ANN, BOB, encoding="utf-16-le"),
        error=("no column ['user_id'", "NUL bytes", "'utf-16-le' or 'utf-16-be'"),
    ),
    Kind(
        "CSV: UTF-16 without its mark, named",
        lines(ANN, BOB, encoding="utf-16-le"),
        files={"encoding": "utf-16-le"},
    ),
    Kind(
        "CSV: UTF-32",
        lines(ANN, BOB, encoding="utf-32"),
        error=("begins as UTF-32 does", "set files.encoding = 'utf-32'"),
    ),
    Kind("CSV: a byte order mark", lines(ANN, BOB, encoding="utf-8-sig")),
    Kind(
        "CSV: a byte order mark before a quote",
        octets(
            b'\xef\xbb\xbf"user_id"'
            + f",item_id,timestamp\nann,tea,{NOON}\nbob,jam,{NOON + 1}\n".encode()
        ),
    ),
    Kind(
        "columns: a NUL byte in a name",
        octets(f"user\0_id,item_id,timestamp\nann,tea,{NOON}\n".encode()),
        error=("no column ['user_id']", "its first line has NUL bytes", "write it again"),
    ),
    Kind(
        "columns: one missing",
        octets(b"user_id,timestamp\nann,1767614400\n"),
        error=("no column ['item_id']", "only ['user_id', 'timestamp']", "files.columns"),
    ),
    Kind(
        "columns: one renamed",
        table([{**row, "User ID": row["user_id"]} for row in sound()], ("User ID", *HEADER[1:])),
        error=("no column ['user_id']", "files.columns, such as 'User ID'"),
    ),
    Kind(
        "columns: one twice",
        octets(f"user_id,item_id,rating,rating,timestamp\nann,tea,1,5,{NOON}\n".encode()),
        error=("more than one column ['rating']", "rename the others"),
    ),
    Kind(
        "columns: one twice in Parquet",
        twice_in_parquet,
        error=("more than one column ['rating']",),
    ),
    Kind("columns: others too", table([{**row, "title": "x"} for row in sound()], TITLED)),
    Kind("columns: in another order", table(sound(), HEADER[::-1])),
    Kind(
        "columns: no header",
        octets(f"{ANN}\n{BOB}\n".encode()),
        error=("no column ['user_id', 'item_id', 'timestamp']", "only ['ann', 'tea'"),
    ),
)
