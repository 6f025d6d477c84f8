"""The texts of typed cells: marks hold the facts that a text does not show."""

from __future__ import annotations

import datetime
import re

import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.marks import (
    AS_SHOWN,
    DATE_CELL,
    DATE_WITH_TIME,
    HALF,
    LITERAL,
    NOT_AS_SHOWN,
    ROUNDED_NUMBER,
    SEPARATOR,
)
from core.engine.reading.workbooks.number_formats import NumberFormat

EXACT_BELOW = 1e15
"""Excel keeps 15 digits of a number; a longer number differs from what was typed."""
LONGEST_CELL = 131_072
"""Characters of one cell, as for csv; Excel itself holds 32,767."""

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")  # ECMA-376 part 1, 22.9.2.19
_ODD = f"_x[0-9A-Fa-f]{{4}}_|^[{DATE_CELL}-{SEPARATOR}]"
_MARKS = re.compile(f"[{DATE_CELL}-{SEPARATOR}]")
_LAST_DAY = 2_958_465
_DAY = 86_400_000  # milliseconds
_EPOCH = datetime.date(1899, 12, 30).toordinal()
_FROM_1904 = 1462


def number_text(number: float) -> str:
    """A number as the checks see it: whole ones without decimals."""
    if not number.is_integer():
        return repr(number)
    text = str(int(number))
    return text if abs(number) < EXACT_BELOW else ROUNDED_NUMBER + text


def formatted_text(number: float, shape: NumberFormat, *, from_1904: bool) -> str:
    """A number that is shown through a format: a date, the number, or what it shows and holds."""
    if shape.is_general:
        return number_text(number)
    stored = number_text(number)
    if shape.is_elapsed:
        return DATE_WITH_TIME + _elapsed(number)
    if shape.is_date:
        moment = _moment(number, from_1904=from_1904)
        return moment or _differing(NOT_AS_SHOWN, "########", stored, shape)
    shown = shape.shown(number)
    if stored[0] == ROUNDED_NUMBER or (shown is not None and shown.strip() == stored):
        return stored
    if shown is not None and _without_zeros(shown.strip()) == stored:
        return _differing(AS_SHOWN, shown.strip(), stored, shape)
    return _differing(NOT_AS_SHOWN, stored if shown is None else shown.strip(), stored, shape)


def written_text(text: str, *, escaped: bool = True) -> str:
    """A text cell: Excel's escapes resolved, and marked where it would be taken for marked."""
    if escaped and "_x" in text:
        text = _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text)
    if not _is_whole(text):  # halves of one character come together here
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    if not _is_whole(text):
        return HALF + re.sub("[\ud800-\udfff]", "\ufffd", text)
    return LITERAL + text if _MARKS.match(text) else text


def text_through(text: str, shape: NumberFormat) -> str:
    """A text cell whose format may show something else than the text."""
    shown = text if _MARKS.match(text) else shape.shown_text(text)
    return text if shown.strip() == text.strip() else _differing(NOT_AS_SHOWN, shown, text, shape)


def as_written(texts: pa.Array) -> pa.Array:
    """As ``written_text`` for a column of texts; only those that need it are looked at."""
    odd = pc.match_substring_regex(texts, _ODD)
    if not pc.any(odd).as_py():
        return texts
    mended = [text and written_text(text) for text in texts.filter(odd).to_pylist()]
    return pc.replace_with_mask(texts, pc.fill_null(odd, False), pa.array(mended, pa.string()))


def iso_text(text: str) -> str:
    """A cell that holds a date in ISO's form; any other text is no date."""
    try:
        if "T" not in text and ":" in text:
            return DATE_WITH_TIME + datetime.time.fromisoformat(text).isoformat()
        return moment_text(datetime.datetime.fromisoformat(text))
    except ValueError:
        return written_text(text)


def moment_text(moment: datetime.datetime) -> str:
    """A date, with its time if it has one."""
    if moment.time() == datetime.time():
        return DATE_CELL + moment.date().isoformat()
    return DATE_WITH_TIME + moment.isoformat(sep=" ")


def _differing(mark: str, shown: str, stored: str, shape: NumberFormat) -> str:
    return mark + SEPARATOR.join([shown, stored, shape.code])


def _without_zeros(text: str) -> str:
    return re.sub(r"^(-?)0+(?=[0-9])", r"\1", text) if re.fullmatch("-?[0-9]+", text) else text


def _moment(serial: float, *, from_1904: bool) -> str | None:
    """A serial number as a date or time; None where the calendar has no such day."""
    if from_1904:
        serial += _FROM_1904
    if not 0 <= serial < _LAST_DAY + 1:
        return None
    days, milliseconds = divmod(round(serial * _DAY), _DAY)
    midnight = datetime.datetime(1900, 1, 1)  # noqa: DTZ001 - a cell has no time zone
    time = (midnight + datetime.timedelta(milliseconds=milliseconds)).time()
    if days == 0 and not from_1904:
        return DATE_WITH_TIME + time.isoformat() if milliseconds else None
    if days == 60 and not from_1904:  # Excel's 29 February 1900, a day that never was
        return None
    day = datetime.date.fromordinal(_EPOCH + days + (days < 60 and not from_1904))
    return moment_text(datetime.datetime.combine(day, time))


def _elapsed(days: float) -> str:
    seconds = round(abs(days) * 86_400)
    minus = "-" if days < 0 else ""
    return f"{minus}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _is_whole(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)
