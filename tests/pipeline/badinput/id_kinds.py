"""Kinds of bad ids."""

import math
from decimal import Decimal

import pyarrow as pa
from kind import Kind, changed, parquet

LONG = "x" * 10_000
FAMILY = "\U0001f469\u200d\U0001f467"
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0646\u0645"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
COMPOSED, DECOMPOSED = "Zo\u00eb", "Zoe\u0308"
AS_IS = {
    "SQL": "'; DROP TABLE users; --",
    "HTML": "<script>alert(1)</script>",
    "a formula": '=HYPERLINK("http://x","y")',
}


def id_(what: str, value: object, reason: str = "", kept: str = "") -> Kind:
    """Return the kind of a row with the user id `value` in a CSV file."""
    names = ("ann", kept, "bob") if kept else ("ann", "bob")
    return Kind(f"id: {what}", changed(user_id=value), names, (reason,) if reason else ())


def number(what: str, values: pa.Array, kept: tuple[str, ...], *reasons: str) -> Kind:
    """Return the kind of three user ids in a Parquet file."""
    return Kind(f"id in Parquet: {what}", parquet(user_id=values), kept, reasons)


IDS = (
    id_("empty", "", "missing_user_id"),
    id_("blanks", "   ", "missing_user_id"),
    id_("the text NaN", "NaN", "missing_user_id"),
    id_("-1", -1, "negative_id"),
    id_("2^31", 2**31, kept=str(2**31)),
    id_("2^40", 2**40, kept=str(2**40)),
    id_("2^63", 2**63, "absurd_id"),
    id_("1.0", "1.0", kept="1"),
    id_("1.5", "1.5", "fractional_id"),
    id_("007", "007", kept="007"),
    id_("leading and trailing blanks", "  cyd ", kept="cyd"),
    id_("composed Unicode", COMPOSED, kept=COMPOSED),
    id_("decomposed Unicode, which is another id", DECOMPOSED, kept=DECOMPOSED),
    id_("the text NA", "NA", kept="NA"),
    id_("the text null", "null", kept="null"),
    id_("a NUL byte", "a\0b", "absurd_id"),
    id_("a line break", "a\nb", "absurd_id"),
    id_("10 kB long", LONG, "absurd_id"),
    id_("a replacement character, of text that was lost", "J\ufffdrg", "absurd_id"),
    id_("a blank of no width alone", "\u200b", "absurd_id"),
    id_("a blank of no width within", "an\u200bn", "absurd_id"),
    id_("a byte order mark before it", "\ufeffann", "absurd_id"),
    id_("a joiner at its end", "ann\u200d", "absurd_id"),
    id_("a turned direction of writing", "\u202enna", "absurd_id"),
    id_("a mark of direction", "ann\u200f", "absurd_id"),
    id_("an emoji of several, joined", FAMILY, kept=FAMILY),
    id_("Persian with a non-joiner", PERSIAN, kept=PERSIAN),
    id_("a flag that is spelled by tags", SCOTLAND, kept=SCOTLAND),
    *(id_(what, value, kept=value) for what, value in AS_IS.items()),
    Kind("id: an item without one", changed(item_id=""), reasons=("missing_item_id",)),
    number("null", pa.array(["ann", None, "bob"]), ("ann", "bob"), "missing_user_id"),
    number("NaN", pa.array([1.0, math.nan, 2.0]), ("1", "2"), "missing_user_id"),
    number("infinite", pa.array([1.0, math.inf, 2.0]), ("1", "2"), "absurd_id"),
    number("-1", pa.array([1, -1, 2]), ("1", "2"), "negative_id"),
    number(
        "2^40 beside null", pa.array([1, 2**40 + 1, None]), ("1", str(2**40 + 1)), "missing_user_id"
    ),
    number("2^63, unsigned", pa.array([1, 2**63, 2], pa.uint64()), ("1", "2"), "absurd_id"),
    number("1.0 and 1.5", pa.array([1.0, 1.5, 2.0]), ("1", "2"), "fractional_id"),
    number(
        "decimal",
        pa.array([Decimal("7.00"), Decimal("7.50"), Decimal("8.00")]),
        ("7", "8"),
        "fractional_id",
    ),
    number(
        "dictionary", pa.array(["ann", "007", "bob"]).dictionary_encode(), ("ann", "007", "bob")
    ),
    *(
        Kind(
            f"id in Parquet: {what}",
            parquet(user_id=values),
            error=(f"has {held} in column ['user_id'], must be text or whole numbers",),
        )
        for what, held, values in (
            ("true and false", "true and false", pa.array([True, None, False])),
            ("timestamps", "times", pa.array([1, 2, 3], pa.timestamp("s"))),
            ("dates", "times", pa.array([1, 2, 3], pa.date32())),
            ("spans of time", "times", pa.array([1, 2, 3], pa.duration("s"))),
        )
    ),
    number("bytes", pa.array([b"ann", b"\xff", b"bob"]), ("ann", "bob"), "absurd_id"),
    Kind(
        "id: 1 in one file beside the text 1 in another, which is the same",
        lambda folder: [
            parquet(user_id=pa.array([1, 2]))(folder),
            (folder / "interactions.parquet").rename(folder / "interactions-1.parquet"),
            parquet(user_id=pa.array(["1", "01"]))(folder),
        ],
        ("1", "01", "2"),
        ("duplicate_row",),
    ),
)
