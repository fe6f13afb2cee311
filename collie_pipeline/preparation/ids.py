"""Outside ids as text, and what is wrong with those that are not ids."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from collie_pipeline.preparation.missing import is_missing, plain_text

LONGEST = 256
LARGEST = str(2**63 - 1)
# U+FFFD stands for what was lost: two ids may be one. So may two that differ in what cannot be
# seen: marks of direction, joiners of nothing; within emoji, Persian and flags they have a meaning.
CONTROL = r"[\x00-\x1f\x7f-\x9f\ufffd]"
UNSEEN = (
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
    "|^[\u200c\u200d\U000e0001-\U000e007f]|[\u200c\u200d]$"
)
FRACTION = r"-?\d*\.\d+|-?\d*\.?\d*e-\d+"
FAULTS = ("missing", "absurd", "negative", "fractional")


@dataclass(frozen=True)
class ParsedIds:
    """A column of ids, each as the place of its text.

    Parameters
    ----------
    texts : (U,) the different ids, sorted by code point on every machine.
    codes : (B,) places in `texts`, -1 where there is no id.
    faults : (B,) places in `FAULTS` where there is no id, -1 where there is one.
    """

    texts: "pd.Series[str]"
    codes: npt.NDArray[np.int32]
    faults: npt.NDArray[np.int8]

    def faulty(self) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
        """Yield each of `FAULTS`, and which rows (B,) have it."""
        for place, name in enumerate(FAULTS):
            yield name, self.faults == place

    def rows(self) -> "pd.Series[str]":
        """Return the text of each row, null where there is no id."""
        with_null = pd.concat([self.texts, pd.Series([None], dtype="str")], ignore_index=True)
        return pd.Series(with_null.array.take(self.codes))

    def among(self, rows: npt.NDArray[np.integer]) -> pd.Categorical:
        """Return the texts of `rows`, each of which has an id, and none but these."""
        codes, known = numbered(self.codes[rows], self.texts.to_numpy())
        return pd.Categorical.from_codes(codes, categories=pd.Index(known, dtype="str"))


def numbered(
    codes: npt.NDArray[np.int32], ids: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[Any]]:
    """Return `codes` (B,) as places among those of `ids` that are there, and these."""
    is_there = np.zeros(len(ids), dtype=np.bool_)
    is_there[codes] = True
    places = np.cumsum(is_there, dtype=np.int32) - 1
    return places[codes], ids[is_there]


def parse_ids(values: pd.Series) -> ParsedIds:
    """Return each of `values`, (B,), as an id, or what is wrong with it.

    Surrounding blanks go, and a whole float is its integer, in numbers (7.0) as in text ("7.0").
    """
    # Rows repeat few ids, so that judging the distinct ones is what makes this fast.
    codes, distinct = pd.factorize(plain_text(values) if values.dtype == object else values)
    texts = _texts(pd.Series(distinct))
    wrong = _faults(texts)
    places, known = _sorted(texts.mask(wrong >= 0))
    # factorize gives a null the code -1, which takes the last entry
    places, wrong = np.append(places, np.int32(-1)), np.append(wrong, np.int8(0))
    return ParsedIds(known, places[codes], wrong[codes])


def text_ids(values: pd.Series) -> "pd.Series[str]":
    """Return each of `values`, (B,), as an id, null where it is none; see `parse_ids`."""
    return parse_ids(values).rows().set_axis(values.index)


def _sorted(texts: pd.Series) -> tuple[npt.NDArray[np.int32], "pd.Series[str]"]:
    """Return the place of each of `texts` among the different ones, -1 for null, and these."""
    codes, distinct = pd.factorize(texts)
    known = np.asarray(distinct, dtype=object)
    order = np.argsort(known.astype(np.str_) if len(known) else known, kind="stable")
    place = np.full(len(known) + 1, -1, dtype=np.int32)
    place[order] = np.arange(len(known), dtype=np.int32)
    return place[codes], pd.Series(known[order], dtype="str")


def _texts(distinct: pd.Series) -> pd.Series:
    if distinct.dtype.kind == "f":
        numbers = distinct.to_numpy("float64").tolist()
        written = [str(int(x)) if x.is_integer() else repr(x) for x in numbers]
        return pd.Series(written, dtype="str")
    stripped = distinct.astype("str").str.strip()
    return stripped.str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True)


def _faults(texts: pd.Series) -> npt.NDArray[np.int8]:
    """Return what is wrong with each of `texts` (U,), as places in `FAULTS`, -1 for nothing."""
    digits = texts.where(texts.str.fullmatch(r"\d+")).str.lstrip("0")
    longer, as_long = digits.str.len() > len(LARGEST), digits.str.len() == len(LARGEST)
    infinite = texts.str.lower().str.fullmatch("-?inf(inity)?")
    absurd = infinite | longer | (as_long & (digits > LARGEST)) | (texts.str.len() > LONGEST)
    by_name = {
        "missing": is_missing(texts),
        "absurd": absurd | texts.str.contains(f"{CONTROL}|{UNSEEN}", regex=True),
        "negative": texts.str.fullmatch(r"-\d+(\.\d+)?"),
        "fractional": texts.str.fullmatch(FRACTION),
    }
    wrong = np.full(len(texts), -1, dtype=np.int8)
    for name, holds in by_name.items():
        wrong[(wrong < 0) & np.asarray(holds, dtype=np.bool_)] = FAULTS.index(name)
    return wrong
