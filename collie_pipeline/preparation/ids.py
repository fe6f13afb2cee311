"""Outside ids as text, and what is wrong with those that are not ids."""

import pandas as pd

from collie_pipeline.preparation.missing import is_missing, plain_text

LONGEST = 256
LARGEST = str(2**63 - 1)
CONTROL = r"[\x00-\x1f\x7f-\x9f\ufffd]"  # U+FFFD stands for what was lost: two ids may be one
FRACTION = r"-?\d*\.\d+|-?\d*\.?\d*e-\d+"


def parse_ids(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return each of `values`, (B,), as an id, and what is wrong with it.

    Surrounding blanks go, and a whole float is its integer, in numbers (7.0) as in text ("7.0").

    Returns
    -------
    (B,) text, null where it is wrong, and (B,) `missing`, `absurd`, `negative` or `fractional`,
    null where it is right.
    """
    # Rows repeat few ids, so that judging the distinct ones is what makes this fast.
    codes, distinct = pd.factorize(plain_text(values) if values.dtype == object else values)
    texts = _texts(pd.Series(distinct))
    wrong = _faults(texts)
    # factorize gives a null the code -1, which takes the last entry
    texts = pd.concat([texts.mask(wrong.notna()), pd.Series([None], dtype="str")])
    wrong = pd.concat([wrong, pd.Series(["missing"], dtype="str")])
    by_row = (pd.Series(each.array.take(codes), index=values.index) for each in (texts, wrong))
    return next(by_row), next(by_row)


def _texts(distinct: pd.Series) -> pd.Series:
    if distinct.dtype.kind == "f":
        numbers = distinct.to_numpy("float64").tolist()
        written = [str(int(x)) if x.is_integer() else repr(x) for x in numbers]
        return pd.Series(written, dtype="str")
    stripped = distinct.astype("str").str.strip()
    return stripped.str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True)


def _faults(texts: pd.Series) -> pd.Series:
    digits = texts.where(texts.str.fullmatch(r"\d+")).str.lstrip("0")
    longer, as_long = digits.str.len() > len(LARGEST), digits.str.len() == len(LARGEST)
    infinite = texts.str.lower().str.fullmatch("-?inf(inity)?")
    absurd = infinite | longer | (as_long & (digits > LARGEST)) | (texts.str.len() > LONGEST)
    wrong = pd.Series(None, index=texts.index, dtype="str")
    wrong = wrong.mask(texts.str.fullmatch(FRACTION), "fractional")
    wrong = wrong.mask(texts.str.fullmatch(r"-\d+(\.\d+)?"), "negative")
    wrong = wrong.mask(absurd | texts.str.contains(CONTROL, regex=True), "absurd")
    return wrong.mask(is_missing(texts), "missing")
