"""Points in time of any spelling, as microseconds since 1970 UTC."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from collie_pipeline.preparation.missing import are_integers, is_missing, parse_numbers, plain_text
from collie_pipeline.sections import TimeUnit

EARLIEST = 31_536_000_000_000  # 1971-01-01: what is earlier is 0, or seconds read as ms or us
LATEST = 7_258_118_400_000_000  # 2200-01-01
MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Times:
    """One point in time a row, and what is wrong with it.

    Parameters
    ----------
    microseconds : (B,) int64 since 1970 UTC; 0 where one of the masks holds.
    missing, unparsable, absurd : (B,) at most one holds for a row.
    """

    microseconds: npt.NDArray[np.int64]
    missing: Mask
    unparsable: Mask
    absurd: Mask

    @property
    def usable(self) -> Mask:
        """(B,) whether the row has a point in time from 1971 to 2200."""
        return ~(self.missing | self.unparsable | self.absurd)


def parse_times(values: pd.Series, unit: TimeUnit) -> Times:
    """Return when each of `values`, (B,) of any type, says that its row happened."""
    if values.dtype == object or values.dtype.kind == "m":  # a span of time is no point in it
        values = plain_text(values)
    if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind == "M":
        return _of_moments(values, is_missing(values))
    if unit == "iso":
        missing = is_missing(values)
        texts = values.astype("str").str.strip()
        # pandas takes "now" and "today" for the moment of reading.
        texts = texts.where(texts.str.match(r"\d").eq(True) & ~missing)
        return _of_moments(
            pd.to_datetime(texts, errors="coerce", utc=True, format="ISO8601"), missing
        )
    if are_integers(values):
        return _of_whole_numbers(values.to_numpy(), MICROSECONDS[unit])
    return _of_numbers(*parse_numbers(values), MICROSECONDS[unit])


def _of_whole_numbers(numbers: npt.NDArray[np.integer], scale: int) -> Times:
    absurd = (numbers < EARLIEST // scale) | (numbers >= LATEST // scale)
    microseconds = np.where(absurd, 0, numbers).astype(np.int64)
    microseconds *= scale
    neither = np.zeros(len(numbers), dtype=np.bool_)
    return Times(microseconds, missing=neither, unparsable=neither, absurd=absurd)


def _of_moments(moments: pd.Series, missing: Mask) -> Times:
    utc = pd.to_datetime(moments, utc=True).astype("datetime64[us, UTC]")
    unparsable = utc.isna().to_numpy() & ~missing
    return _sorted_out(utc.to_numpy("datetime64[us]").astype(np.int64), missing, unparsable)


def _of_numbers(numbers: npt.NDArray[np.float64], missing: Mask, scale: int) -> Times:
    unparsable = np.isnan(numbers) & ~missing
    # float64 holds every microsecond until the year 2255, so that nothing sane is rounded
    scaled = np.nan_to_num(numbers)
    np.clip(scaled, -(2.0**62) / scale, 2.0**62 / scale, out=scaled)
    scaled *= scale
    return _sorted_out(np.rint(scaled, out=scaled).astype(np.int64), missing, unparsable)


def _sorted_out(microseconds: npt.NDArray[np.int64], missing: Mask, unparsable: Mask) -> Times:
    stated = ~(missing | unparsable)
    absurd = stated & ((microseconds < EARLIEST) | (microseconds >= LATEST))
    microseconds[~stated | absurd] = 0
    return Times(microseconds, missing, unparsable, absurd)
