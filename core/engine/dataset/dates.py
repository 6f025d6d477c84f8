"""Dates as the contract has them: ISO ``YYYY-MM-DD`` and nothing else; never a guess."""

from __future__ import annotations

import datetime
import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Days = npt.NDArray[np.datetime64]

FIRST_YEAR, LAST_YEAR = 1900, 2100
"""Years a record can sensibly carry; others are typing errors."""

_FORM = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def days_of(values: pa.Array) -> Days:
    """The day of each trimmed text, ``NaT`` where it is no date of the calendar."""
    well_formed = np.asarray(pc.fill_null(pc.match_substring_regex(values, _FORM), False))
    days = np.full(len(values), np.datetime64("NaT"), dtype="datetime64[D]")
    if well_formed.any():
        days[well_formed] = _calendar_days(values.filter(pa.array(well_formed)))
    return days


def day_of(text: str) -> datetime.date | None:
    """The day that a text as read is, None where it is no date of the calendar."""
    if not re.fullmatch(_FORM, text):
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def outside_years(days: Days) -> npt.NDArray[np.bool_]:
    """Which days lie before 1900 or after 2100 (``NaT`` does not)."""
    years = days.astype("datetime64[Y]").astype(np.int64) + 1970
    outside = (years < FIRST_YEAR) | (years > LAST_YEAR)
    return np.asarray(outside & ~np.isnat(days))


def _calendar_days(values: pa.Array) -> Days:
    year, month, day = (_numbers(values, *cut) for cut in ((0, 4), (5, 7), (8, 10)))
    first = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    length = (first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")
    real = (month >= 1) & (month <= 12) & (day >= 1) & (day <= length.astype(np.int64))
    days = first.astype("datetime64[D]") + (day - 1)
    days[~real] = np.datetime64("NaT")
    return np.asarray(days)


def _numbers(values: pa.Array, start: int, stop: int) -> npt.NDArray[np.int64]:
    return np.asarray(pc.utf8_slice_codeunits(values, start, stop).cast(pa.int64()))
