"""Looks into the records of an old workbook (xls) before a reader makes room for what they claim.

The reader takes counts and extents at their word and ends the whole process where memory does not
suffice, so they are compared with what the file can hold. On the way it notes what error cells
say, which the reader gives as blank. [MS-XLS] describes the records.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from core.engine.reading.compound import BrokenError

CELLS_LIMIT = 40_000_000
"""Cells of all sheets' rectangles together; a full sheet has 16.8 million."""
RECORDS_LIMIT = 40_000_000

_BEGIN, _END, _SHEET, _STRINGS, _EXTENT = 0x809, 0x0A, 0x85, 0xFC, 0x200
_FORMULA, _NUMBER, _LABEL, _BOOL_OR_ERROR, _MANY = 0x06, 0x203, 0x204, 0x205, 0xBD
_CELLS = {_FORMULA, _NUMBER, _LABEL, _BOOL_OR_ERROR, _MANY, 0xD6, 0xFD, 0x27E}
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}

Places = dict[tuple[int, int], str]
Record = tuple[int, int, int]  # kind, where its content begins, how long it is


def inspect_old_workbook(stream: bytes) -> Places:
    """The error cells of the first sheet by 0-based row and column.

    ``stream`` is the workbook's own stream; raises ``BrokenError`` where it must not be read.
    """
    sheets = []
    for kind, at, length in _records(stream, 0):
        if kind == _SHEET and length >= 6:
            position, _, sheet_type = struct.unpack_from("<IBB", stream, at)
            sheets.append((position, sheet_type))
        if kind == _STRINGS and length >= 8:
            _refuse_above(struct.unpack_from("<I", stream, at + 4)[0], len(stream))
    found: list[Places] = []
    cells = records = 0
    for position, sheet_type in sheets:
        errors, size, passed = _sheet(stream, position)
        cells, records = cells + size, records + passed
        _refuse_above(cells, CELLS_LIMIT)
        _refuse_above(records, RECORDS_LIMIT)
        if sheet_type == 0:
            found.append(errors)
    return found[0] if found else {}


def _sheet(stream: bytes, position: int) -> tuple[Places, int, int]:
    """A sheet's error cells, the size of its rectangle and the number of its records."""
    errors: Places = {}
    last_row = last_column = claimed = passed = 0
    for kind, at, length in _records(stream, position):
        passed += 1
        if kind in _CELLS and length >= 6:
            row, column = struct.unpack_from("<HH", stream, at)
            if kind == _MANY:
                column = max(column, struct.unpack_from("<H", stream, at + length - 2)[0])
            last_row, last_column = max(last_row, row), max(last_column, column)
            if text := _error_in(stream, kind, at, length):
                errors[row, column] = text
        elif kind == _EXTENT:
            claimed = max(claimed, _claimed(stream, at, length))
    return errors, max(claimed, (last_row + 1) * (last_column + 1)), passed


def _records(stream: bytes, at: int) -> Iterator[Record]:
    """The records of the part that begins at ``at``, with those of parts embedded in it."""
    depth = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        at += 4
        if at + length > len(stream):
            return
        yield kind, at, length
        at += length
        depth += (kind == _BEGIN) - (kind == _END)
        if kind == _END and depth <= 0:
            return


def _claimed(stream: bytes, at: int, length: int) -> int:
    """The rectangle that a sheet says it has."""
    form = "<IIHH" if length >= 14 else "<HHHH"
    if length < struct.calcsize(form):
        return 0
    first_row, row, first_column, column = struct.unpack_from(form, stream, at)
    # an extent that ends before it begins is a huge one to a reader without negative numbers
    return int((row - first_row) % (1 << 32) * ((column - first_column) % (1 << 16)))


def _error_in(stream: bytes, kind: int, at: int, length: int) -> str | None:
    """What the cell says, if it holds an error."""
    if kind == _BOOL_OR_ERROR and length >= 8 and stream[at + 7]:
        return _ERRORS.get(stream[at + 6], "#ERROR!")
    if kind == _FORMULA and length >= 14 and stream[at + 12 : at + 14] == b"\xff\xff":
        return _ERRORS.get(stream[at + 8], "#ERROR!") if stream[at + 6] == 2 else None
    return None


def _refuse_above(count: int, limit: int) -> None:
    if count > limit:
        raise BrokenError("it promises more than it holds")
