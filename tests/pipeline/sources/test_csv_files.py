import csv
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collie_pipeline.preparation.missing import plain_text
from collie_pipeline.sections import Files
from collie_pipeline.sources import csv_files
from collie_pipeline.sources.csv_files import read_csv

NUMBERS = st.integers(0, 10**18 - 1).map(str)
ODD = st.sampled_from(["", " 7", "7 ", "007", "+7", "-7", "7.0", "1e3", "NA", "٧", "0x7", "1_0"])
FIELDS = NUMBERS | ODD | st.text("0123456789.-ab ", max_size=20)
COLUMNS = st.lists(FIELDS | NUMBERS, min_size=1, max_size=9) | st.lists(NUMBERS, min_size=1)


def is_as_python_writes_it(field: str) -> bool:
    return field.isascii() and field.isdecimal() and str(int(field)) == field and len(field) <= 18


@given(COLUMNS)
def test_a_column_is_numbers_where_these_say_the_same_and_text_elsewhere(fields: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_files, "ROWS_AT_ONCE", 3)
        path = Path(folder) / "rows.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            lines = [("user_id", "n"), *((field, "1") for field in fields)]
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows(lines)
        column = read_csv(path, ["user_id"], Files())["user_id"]
    assert plain_text(column).tolist() == fields
    is_whole = all(map(is_as_python_writes_it, fields))
    assert pd.api.types.is_integer_dtype(column.dtype) == is_whole


def test_numbers_take_the_bytes_that_they_need(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b,c,d\n127,128,2147483647,2147483648\n0,0,0,0\n")
    kinds = read_csv(path, ["a", "b", "c", "d"], Files()).dtypes.astype("str").tolist()
    assert kinds == ["int8", "int16", "int32", "int64"]
