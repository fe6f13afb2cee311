"""Every kind of bad row and file, through the real source, `raw` on disk, and `clean`."""

from pathlib import Path

import pandas as pd
import pytest
from file_kinds import FILES
from id_kinds import IDS
from kind import Kind
from row_kinds import ROWS
from value_kinds import RATINGS, TIMES

from collie_pipeline.preparation import REASONS, clean
from collie_pipeline.preparation.clean import AS_READ
from collie_pipeline.preparation.missing import plain_text
from collie_pipeline.settings import load_settings
from collie_pipeline.sources import Source, make_source

KINDS = (*IDS, *RATINGS, *TIMES, *ROWS, *FILES)


def source_of(kind: Kind, folder: Path) -> Source:
    folder.mkdir()
    kind.write(folder)
    return make_source(
        load_settings(source="files", data_path=folder, files=kind.files, prepare=kind.prepare)
    )


def raw_rows(source: Source, kind: Kind, folder: Path) -> pd.DataFrame:
    """The week's rows after they were on disk, as between the assets."""
    source.span()
    source.interactions(kind.week).to_parquet(folder / "raw.parquet")
    return pd.read_parquet(folder / "raw.parquet")


@pytest.mark.parametrize("kind", [each for each in KINDS if not each.error], ids=lambda k: k.name)
def test_good_rows_are_kept_and_bad_ones_quarantined_as_read(kind: Kind, tmp_path: Path) -> None:
    source = source_of(kind, tmp_path / "in")
    raw = raw_rows(source, kind, tmp_path)
    allowed = load_settings(prepare=kind.prepare).prepare.rating_range
    sound, refused = clean(raw, kind.week, source.mode, source.time_unit, allowed)
    assert sorted(sound["user_id"]) == sorted(kind.kept)
    assert tuple(refused["reason"]) == kind.reasons
    assert set(kind.reasons) <= set(REASONS)
    assert len(sound) + len(refused) == len(raw)
    there = raw.set_index("source_row").loc[refused["source_row"]]
    for column in [name for name in AS_READ if name in raw]:
        read = plain_text(there[column].astype(object))
        assert refused[column].fillna("").tolist() == read.fillna("").tolist()


@pytest.mark.parametrize("kind", [each for each in KINDS if each.error], ids=lambda k: k.name)
def test_an_error_says_what_is_wrong_and_what_helps(kind: Kind, tmp_path: Path) -> None:
    source = source_of(kind, tmp_path / "in")
    with pytest.raises(ValueError, match=r"\S") as refusal:
        raw_rows(source, kind, tmp_path)
    place = -1
    for part in kind.error:
        place = str(refusal.value).find(part, place + 1)
        assert place >= 0, f"{part!r} is not in its place in {refusal.value}"
