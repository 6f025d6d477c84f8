"""The cells of a sheet of an old workbook: where each stands and the text it means."""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from core.engine.columns.marks import ERROR_CELL, NO_VALUE
from core.engine.reading.refusal import unreadable
from core.engine.reading.workbooks.cells import Cells
from core.engine.reading.workbooks.number_formats import GENERAL, NumberFormat, number_format
from core.engine.reading.workbooks.typed_cells import formatted_text, text_through, written_text
from core.engine.reading.workbooks.xls.book import Book
from core.engine.reading.workbooks.xls.records import (
    BOOL_OR_ERROR,
    EXTENT,
    FORMULA,
    FORMULA_TEXT,
    LABEL,
    MANY,
    NUMBER,
    RICH_LABEL,
    SHARED_LABEL,
    SMALL,
    records,
)

LAST_ROW, LAST_COLUMN = 65_536, 256
_BATCH = 50_000
_CELLS = {FORMULA, NUMBER, LABEL, BOOL_OR_ERROR, SMALL, MANY, RICH_LABEL, SHARED_LABEL}
_PLACE = struct.Struct("<HHH")
_DOUBLE = struct.Struct("<d")
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
_PLAIN = number_format(GENERAL)
_UNKNOWN_FORMULA = NO_VALUE + "=…"
"""Formulas of xls are tokens, which are not decoded here."""


def cells_of(book: Book, position: int) -> Iterator[Cells]:
    """The filled cells of the sheet whose records begin there, in batches by row."""
    return _by_row(_Sheet(book).batches(position))


def claimed_rows(book: Book, position: int) -> int:
    """The last row that the sheet declares."""
    for kind, at, length in itertools.islice(records(book.stream, position), 100):
        if kind == EXTENT and length >= 10:
            form = "<I" if book.is_new else "<H"
            return min(
                int(struct.unpack_from(form, book.stream, at + 4 if book.is_new else at + 2)[0]),
                LAST_ROW,
            )
    return 0


def _by_row(batches: Iterator[Cells]) -> Iterator[Cells]:
    """The same cells; those of a file that does not keep the order of rows, sorted."""
    last = 0
    for batch in batches:
        if len(batch.rows) and batch.rows[0] >= last and (np.diff(batch.rows) >= 0).all():
            last = int(batch.rows[-1])
            yield batch
        elif len(batch.rows):
            raise unreadable("its rows are out of order")


class _Sheet:
    """Collects cells record by record."""

    def __init__(self, book: Book) -> None:
        self._book, self._stream = book, book.stream
        self._rows: list[int] = []
        self._columns: list[int] = []
        self._texts: list[str] = []
        self._spelt: dict[tuple[int, float], str] = {}

    def batches(self, position: int) -> Iterator[Cells]:
        awaited: tuple[int, int, int] | None = (
            None  # a formula whose text comes in a record of its own
        )
        for kind, at, length in records(self._stream, position):
            if kind == FORMULA_TEXT and awaited is not None:
                self._add(*awaited[:2], self._text(awaited[2], self._book.text(at, length)))
                awaited = None
            if kind not in _CELLS or length < 6:
                continue
            row, column, style = _PLACE.unpack_from(self._stream, at)
            if column >= LAST_COLUMN:
                raise unreadable("it has cells beyond the last column that Excel knows")
            if kind == FORMULA:
                if awaited is not None:
                    self._add(*awaited[:2], _UNKNOWN_FORMULA)
                awaited = self._formula(row, column, style, at, length)
            elif kind == MANY:
                self._many(row, column, at, length)
            else:
                self._add(row, column, self._cell(kind, style, at, length))
            if len(self._rows) >= _BATCH:
                yield self._taken()
        if awaited is not None:
            self._add(*awaited[:2], _UNKNOWN_FORMULA)
        yield self._taken()

    def _add(self, row: int, column: int, text: str) -> None:
        if text:
            self._rows.append(row + 1)
            self._columns.append(column + 1)
            self._texts.append(text)

    def _taken(self) -> Cells:
        rows, columns = np.array(self._rows, np.int32), np.array(self._columns, np.int32)
        texts = pa.array(self._texts, pa.string())
        self._rows, self._columns, self._texts = [], [], []
        return Cells(rows, columns, texts)

    def _cell(self, kind: int, style: int, at: int, length: int) -> str:
        stream = self._stream
        if kind == SHARED_LABEL and length >= 10:
            number = int.from_bytes(stream[at + 6 : at + 10], "little")
            if number >= len(self._book.texts):
                raise unreadable("a cell refers to a text that is not there")
            return self._shown(style, self._book.texts[number])
        if kind == NUMBER and length >= 14:
            return self._number(style, _DOUBLE.unpack_from(stream, at + 6)[0])
        if kind == SMALL and length >= 10:
            return self._number(style, _small(int.from_bytes(stream[at + 6 : at + 10], "little")))
        if kind == BOOL_OR_ERROR and length >= 8:
            if stream[at + 7]:
                return ERROR_CELL + _ERRORS.get(stream[at + 6], "#ERROR!")
            return "TRUE" if stream[at + 6] else "FALSE"
        if kind in (LABEL, RICH_LABEL):
            return self._text(style, self._book.text(at + 6, length - 6))
        raise unreadable("a cell is cut short")

    def _formula(
        self, row: int, column: int, style: int, at: int, length: int
    ) -> tuple[int, int, int] | None:
        """Adds the stored result; returns the place of one whose text follows in a later record."""
        if length < 14:
            raise unreadable("a cell is cut short")
        result = self._stream[at + 6 : at + 14]
        if result[6:] != b"\xff\xff":
            self._add(row, column, self._number(style, _DOUBLE.unpack(result)[0]))
        elif result[0] == 0:
            return row, column, style
        elif result[0] == 1:
            self._add(row, column, "TRUE" if result[2] else "FALSE")
        elif result[0] == 2:
            self._add(row, column, ERROR_CELL + _ERRORS.get(result[2], "#ERROR!"))
        elif not self._book.calculated:  # "no text": of a formula that nobody has worked out, too
            self._add(row, column, _UNKNOWN_FORMULA)
        return None

    def _many(self, row: int, column: int, at: int, length: int) -> None:
        count = (length - 6) // 6
        if column + count > LAST_COLUMN:
            raise unreadable("it has cells beyond the last column that Excel knows")
        held = struct.unpack_from("<" + "HI" * count, self._stream, at + 4)
        for offset in range(count):
            number = self._number(held[2 * offset], _small(held[2 * offset + 1]))
            self._add(row, column + offset, number)

    def _number(self, style: int, number: float) -> str:
        key = style, number
        text = self._spelt.get(key)
        if text is None:
            if not math.isfinite(number):
                raise unreadable("a number cell holds no number")
            text = formatted_text(number, self._shape(style), from_1904=self._book.from_1904)
            if len(self._spelt) > 200_000:
                self._spelt.clear()
            self._spelt[key] = text
        return text

    def _text(self, style: int, text: str) -> str:
        return self._shown(style, written_text(text, escaped=False))

    def _shown(self, style: int, text: str) -> str:
        shape = self._shape(style)
        return text_through(text, shape) if shape.changes_texts else text

    def _shape(self, style: int) -> NumberFormat:
        formats = self._book.formats
        return formats[style] if style < len(formats) else _PLAIN


def _small(packed: int) -> float:
    """A number of 30 bits: whole or the upper part of a double, perhaps times a hundred."""
    if packed & 2:
        number = float((packed >> 2) - (1 << 30 if packed & 0x80000000 else 0))
    else:
        number = float(_DOUBLE.unpack(struct.pack("<II", 0, packed & 0xFFFFFFFC))[0])
    return number / 100 if packed & 1 else number
