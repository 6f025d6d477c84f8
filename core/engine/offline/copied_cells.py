"""Writes the cells of a copy so that they are read like the cells of the original."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from core.engine.columns.as_read import made_visible, text_as_read
from core.engine.columns.marks import (
    AS_SHOWN,
    DATE_CELL,
    DATE_WITH_TIME,
    ERROR_CELL,
    HALF,
    NO_VALUE,
    NOT_AS_SHOWN,
    ROUNDED_NUMBER,
    SEPARATOR,
    TWICE,
    bare_text,
)
from core.engine.dataset.dates import day_of
from core.engine.dataset.notes_in_cells import NO_RESULT, RAGGED, STANDS_TWICE, is_note

COLOURS = {"error": "F8C9C4", "warning": "FBE5B6"}
AUTHOR = "Grouper"
LONGEST = 32_767
"""Characters (of UTF-16) that a cell of Excel holds."""
COLUMNS = 16_384
NAMELESS_ERROR = "#ERROR!"
_NOTES = {NO_VALUE: NO_RESULT, TWICE: STANDS_TWICE}
_FIRST_YEAR = 1900  # before it Excel has no dates

Comment = tuple[str, str]
"""Severity and text."""


class _Exact(float):
    """A number that is written with all its digits: the writer asks for sixteen of seventeen."""

    def __format__(self, spec: str) -> str:
        return repr(float(self))


class CopyWriter:
    """Writes cells into one sheet of a workbook that is written row by row."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self._sheet = workbook.add_worksheet("Activity")
        self._formats: dict[tuple[str, str], Any] = {}

    def row(
        self,
        at: int,
        cells: list[str],
        comments: dict[int, Comment],
        *,
        dates: frozenset[int] = frozenset(),
        typed: bool = False,
        width: int | None = None,
        is_head: bool = False,
    ) -> None:
        """Writes a row (from 0) with its comments by column; ``cells`` are typed or plain texts.

        A row that should have had ``width`` cells and has not ends with a note that says so.
        """
        if width is not None:
            dates = frozenset()
            note = f"{RAGGED} Mend this row (the headings have {width} cells), then delete this."
            self._text(at, min(max(len(cells), width), COLUMNS - 1), note, COLOURS["error"])
        if len(cells) > COLUMNS:
            lost = " | ".join(made_visible(bare_text(cell)) for cell in cells[COLUMNS - 1 :])
            text = f"Excel has no columns for these cells: {lost}"
            comments = {**comments, COLUMNS - 1: ("error", text)}
            cells = cells[:COLUMNS]
        for column in range(max(len(cells), max(comments, default=-1) + 1)):
            text = cells[column] if column < len(cells) else ""
            comment = comments.get(column)
            bare = bare_text(text) if typed else text
            if _too_long(bare):
                note = (
                    f"The cell holds {len(bare):,} characters, more than Excel can; here it is cut."
                )
                comment = (comment[0], f"{comment[1]}\n{note}") if comment else ("warning", note)
            if text or comment:
                colour = COLOURS[comment[0]] if comment else ""
                if is_head:
                    self._text(at, column, text, colour)
                else:
                    self._cell(at, column, text, colour, is_date=column in dates, typed=typed)
            if comment:
                self._comment(at, column, comment[1], bare)

    def _comment(self, row: int, column: int, text: str, bare: str) -> None:
        holds = made_visible(bare)[:1000]
        if holds and holds[:100] not in text:
            text = f"{text}\nIt holds “{holds}”."
        self._sheet.write_comment(row, column, text[:30_000], {"author": AUTHOR})

    def _cell(
        self, row: int, column: int, text: str, colour: str, *, is_date: bool, typed: bool
    ) -> None:
        sheet = self._sheet
        if not typed:
            if is_date and (day := day_of(text_as_read(text))) and day.year >= _FIRST_YEAR:
                sheet.write_datetime(row, column, day, self._format("yyyy-mm-dd", colour))
            else:
                meant = is_note(text) and colour != COLOURS["error"]  # what is wrong stays wrong
                meant |= text.startswith(RAGGED)
                self._text(row, column, f"'{text}" if meant else text, colour)
            return
        mark, rest = text[:1], text[1:]
        if mark in (NOT_AS_SHOWN, AS_SHOWN):
            _, stored, code = rest.split(SEPARATOR, 2)
            stored = stored.removeprefix(ROUNDED_NUMBER)
            if _is_number(stored):
                sheet.write_number(row, column, _Exact(stored), self._format(code, colour))
            else:
                self._text(row, column, stored, colour, code)
        elif mark in (DATE_CELL, DATE_WITH_TIME):
            number, code = _serial(rest)
            sheet.write_number(row, column, number, self._format(code, colour))
        elif mark == ROUNDED_NUMBER:
            sheet.write_number(row, column, _Exact(rest), self._format("", colour))
        else:
            self._text(row, column, _note_for(mark, rest) or bare_text(text), colour)

    def _text(self, row: int, column: int, text: str, colour: str, code: str = "") -> None:
        cut = text.encode("utf-16-le")[: 2 * LONGEST].decode("utf-16-le", "ignore")
        if cut:
            self._sheet.write_string(row, column, cut, self._format(code, colour))
        else:
            self._sheet.write_blank(row, column, None, self._format(code, colour))

    def _format(self, code: str, colour: str) -> Any:
        if not code and not colour:
            return None
        if (code, colour) not in self._formats:
            looks = {"num_format": code} if code else {}
            if colour:
                looks["bg_color"] = f"#{colour}"
            self._formats[code, colour] = self._workbook.add_format(looks)
        return self._formats[code, colour]


def _note_for(mark: str, rest: str) -> str:
    """The text that says in a copy what a mark says of a cell; empty where a mark says nothing."""
    if mark == HALF:  # what stands for the half would be a text like any other
        return f"{NAMELESS_ERROR} {rest}"
    if mark == ERROR_CELL:
        return rest if is_note(rest) else f"{NAMELESS_ERROR} {rest}"
    if mark in _NOTES:
        return f"{_NOTES[mark]} {rest}"
    return ""


def _serial(text: str) -> tuple[float, str]:
    """A date, a time or both, as Excel's number and a format that shows it."""
    if re.fullmatch(r"-?[0-9]+:[0-9]{2}:[0-9]{2}", text):
        hours, minutes, seconds = (abs(int(part)) for part in text.split(":"))
        sign = -1 if text.startswith("-") else 1
        return sign * (hours * 3600 + minutes * 60 + seconds) / 86_400, "[h]:mm:ss"
    if ":" in text and "-" not in text:
        moment = dt.datetime.combine(dt.date(1899, 12, 30), dt.time.fromisoformat(text))
        return _days(moment), "hh:mm:ss"
    moment = dt.datetime.fromisoformat(text)
    days = _days(moment)
    days -= days < 61  # Excel has a 29 February 1900
    return days, "yyyy-mm-dd hh:mm:ss" if ":" in text else "yyyy-mm-dd"


def _days(moment: dt.datetime) -> float:
    since = moment.replace(tzinfo=None) - dt.datetime(1899, 12, 30)  # noqa: DTZ001
    return since / dt.timedelta(days=1)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _too_long(text: str) -> bool:
    return len(text) > LONGEST // 2 and len(text.encode("utf-16-le")) > 2 * LONGEST
