"""Who was erased does not come in again with the source."""

from pathlib import Path

import pandas as pd
import pytest

from collie_pipeline.erased import read_erased, remember, without_erased
from collie_pipeline.storage.sealed import read_sealed


@pytest.mark.parametrize("column", [[7, 8, 7], [7.0, 8.0, 7.0], [" 7", "8", "7.0"]])
def test_erased_users_do_not_come_in_again_whatever_the_type_of_ids(
    tmp_path: Path, column: list[object]
) -> None:
    rows = pd.DataFrame({"user_id": column, "source_row": [1, 2, 3]})
    pd.testing.assert_frame_equal(without_erased(tmp_path, rows)[0], rows)
    remember(tmp_path, "7")
    left, erased = without_erased(tmp_path, rows)
    assert (list(left["source_row"]), erased) == ([2], 2)
    assert "7" not in read_sealed(tmp_path / "erased.json")["hashes"]
    assert (tmp_path / "erased.json").stat().st_mode & 0o077 == 0


def test_a_list_of_erased_users_that_cannot_be_read_stops_a_week(tmp_path: Path) -> None:
    (tmp_path / "erased.json").write_text("{")
    with pytest.raises(ValueError, match="it says whose rows must not come in"):
        read_erased(tmp_path)


def test_no_flipped_bit_lets_an_erased_user_in(tmp_path: Path) -> None:
    rows = pd.DataFrame({"user_id": ["user-7", "user-8"]})
    remember(tmp_path, "user-7")
    path = tmp_path / "erased.json"
    sound = path.read_bytes()
    said = []
    for place in range(len(sound)):
        flipped = bytearray(sound)
        flipped[place] ^= 1
        path.write_bytes(flipped)
        try:
            assert without_erased(tmp_path, rows)[1] == 1  # a blank between two values
        except ValueError as error:
            said.append(str(error))
    assert len(said) > 200
    assert all("erased.json is not what was written" in each for each in said)
    assert all("or remove it and use `collie erase-user` again" in each for each in said)
