"""Reads the first sheet of an xlsx or xls workbook, cell by typed cell."""

from __future__ import annotations

import datetime
import itertools
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
)

from core.engine.columns.coded import Coded
from core.engine.columns.marks import (
    DATE_CELL,
    DATE_WITH_TIME,
    ERROR_CELL,
    FROM_WORKBOOK,
    LITERAL,
    ROUNDED_NUMBER,
    literal,
)
from core.engine.dataset.problems import finding
from core.engine.reading.compound import BrokenError, inspect_compound, workbook_stream
from core.engine.reading.old_workbook import inspect_old_workbook
from core.engine.reading.package import Extent, RefusedError, inspect_package
from core.engine.reading.portions import portions_of

Cell = str | float | bool | datetime.date | datetime.datetime | datetime.time | datetime.timedelta

HEAD_ROWS = 50
"""Rows among which the headings are looked for."""

EXACT_BELOW = 1e15
"""Excel keeps 15 digits of a number; a longer one is not what was typed."""


class ErrorCell(str):
    """The text of a cell that holds an Excel error, such as ``#REF!``."""

    __slots__ = ()


class WorkbookSource:
    """A workbook, opened: its first row, and tables of the rows below it.

    A workbook has no ragged rows: cells that are not there are blank.
    """

    def __init__(self, path: Path) -> None:
        self.head: list[list[str]] = []
        self.heading_row = 1
        self.rows_there = 0
        self.findings: list[dict[str, Any]] = []
        self.ragged: list[dict[str, Any]] = []
        self._rows: Iterator[list[Cell]] = iter(())
        self._first: list[list[Cell]] = []
        self._last_row: int | None = None
        try:
            self._rows, self._last_row = _sheet_of(path)
            self._first = list(itertools.islice(self._rows, HEAD_ROWS))
        except RefusedError as refused:
            self.findings = [refused.finding]
            return
        if not self._first:
            self.findings = [finding("empty-file")]
        self.head = [[_bare(text_of(cell)) for cell in row] for row in self._first]

    @property
    def cells(self) -> list[str]:
        """The headings."""
        return self.head[self.heading_row - 1] if self.head else []

    def tables(self, wanted: Collection[int], chunk_rows: int) -> Iterator[pa.Table]:
        """Tables of ``chunk_rows`` rows: ``row`` and the wanted columns, with marks."""
        row = self.heading_row + 1
        self._rows = itertools.chain(self._first[self.heading_row :], self._rows)
        while rows := self._next_rows(chunk_rows):
            columns = list(zip(*rows, strict=True))
            numbers = np.arange(row, row + len(rows), dtype=np.int32)
            table = pa.table({"row": numbers, **{str(at): _coded(columns[at]) for at in wanted}})
            yield table.replace_schema_metadata(FROM_WORKBOOK)
            row += len(rows)
            self.rows_there += len(rows)

    def expected_tables(self, chunk_rows: int) -> int | None:
        """By the rows that the sheet says it has; an xls does not say."""
        return None if self._last_row is None else -(-max(self._last_row - 1, 0) // chunk_rows)

    def _next_rows(self, count: int) -> list[list[Cell]]:
        try:
            return list(itertools.islice(self._rows, count))
        except RefusedError as refused:  # a portion further down cannot be read
            self.ragged.append(refused.finding)
            return []

    def close(self) -> None:
        """Lets go of the sheet."""
        self._rows = iter(())


def read_cells(path: Path) -> list[list[Cell]]:
    """Every cell of the first sheet from A1 on, blank as ``""``; raises ``RefusedError``."""
    rows, _ = _sheet_of(path)
    return list(rows)


def text_of(cell: Cell) -> str:
    """The text of a cell as the checks see it: codes without decimals, dates as ISO, marked."""
    return _TEXTS[type(cell)](cell)


def _number(cell: float) -> str:
    if not cell.is_integer():
        return repr(cell)
    text = str(int(cell))
    return text if abs(cell) < EXACT_BELOW else ROUNDED_NUMBER + text


def _moment(cell: datetime.datetime) -> str:
    if cell.time() == datetime.time():
        return DATE_CELL + cell.date().isoformat()
    return DATE_WITH_TIME + cell.isoformat(sep=" ")


_TEXTS: dict[type, Callable[[Any], str]] = {
    str: literal,
    ErrorCell: lambda cell: ERROR_CELL + cell,
    bool: lambda cell: "TRUE" if cell else "FALSE",
    int: lambda cell: _number(float(cell)),
    float: _number,
    datetime.date: lambda cell: DATE_CELL + cell.isoformat(),
    datetime.datetime: _moment,
    datetime.time: lambda cell: DATE_WITH_TIME + cell.isoformat(),
    datetime.timedelta: lambda cell: DATE_WITH_TIME + str(cell),
}


def _bare(text: str) -> str:
    """A heading: marks mean nothing there."""
    marks = (DATE_CELL, DATE_WITH_TIME, ERROR_CELL, ROUNDED_NUMBER, LITERAL)
    return text[1:] if text.startswith(marks) else text


def _coded(cells: Sequence[Cell]) -> pa.DictionaryArray:
    """A column as coded strings; each distinct cell is spelt once."""
    # 1.0 and True are equal to Python, and only there does the kind have to be in the key
    keys: Sequence[Any] = cells
    if bool in set(map(type, cells)):
        keys = list(zip(map(type, cells), cells, strict=True))
    distinct = dict(zip(keys, cells, strict=True))
    distinct.pop("", None)
    distinct.pop((str, ""), None)
    texts = [text_of(cell) for cell in distinct.values()]
    numbers = dict(zip(distinct, itertools.count()))
    codes = np.fromiter((numbers.get(key, -1) for key in keys), np.int32, len(keys))
    return Coded(codes, pa.array(texts, pa.string())).to_array()


def _sheet_of(path: Path) -> tuple[Iterator[list[Cell]], int | None]:
    """The rows of the first sheet from row 1 and column A on, and the last one if it is known."""
    extent = inspect_package(path) if _is_zip(path) else None
    return _rows_of(path, extent), extent.last_row if extent else None


def _rows_of(path: Path, extent: Extent | None) -> Iterator[list[Cell]]:
    errors = extent.errors if extent else _inspect_old(path)
    if extent and extent.in_portions:
        rows = _rows_in_portions(path, extent.last_column)
        return _with_errors(rows, errors) if errors else rows
    sheet = _open_first_sheet(path)
    if sheet.start is None and not errors:
        return iter(())
    rows = _calamine(sheet.iter_rows)
    return _with_errors(rows, errors) if errors else rows


def _rows_in_portions(path: Path, width: int) -> Iterator[list[Cell]]:
    """The rows of a large sheet, a portion in memory at a time."""
    next_row = 0
    with tempfile.TemporaryDirectory(prefix="grouper-") as folder:
        for portion in portions_of(path, Path(folder)):
            sheet = _open_first_sheet(portion)
            if sheet.start is None:
                continue
            top, left = sheet.start
            if top < next_row:
                raise RefusedError(finding("unreadable-file", detail="its rows are out of order"))
            yield from itertools.repeat([""] * width, top - next_row)
            cells = _calamine(partial(sheet.to_python, skip_empty_area=True))
            next_row = top + len(cells)
            for row in cells:
                yield [""] * left + row + [""] * (width - left - len(row))


def _open_first_sheet(path: Path) -> CalamineSheet:
    return _calamine(lambda: _first_sheet(CalamineWorkbook.from_path(path)))


def _first_sheet(book: CalamineWorkbook) -> CalamineSheet:
    for number, sheet in enumerate(book.sheets_metadata):
        if sheet.typ == SheetTypeEnum.WorkSheet:
            return book.get_sheet_by_index(number)
    raise RefusedError(finding("unreadable-file/no-sheet"))


def _with_errors(
    rows: Iterator[list[Cell]], errors: dict[tuple[int, int], str]
) -> Iterator[list[Cell]]:
    """Rows with the error cells that the reader gives as blank."""
    by_row: dict[int, dict[int, str]] = {}
    for (row, column), text in errors.items():
        by_row.setdefault(row, {})[column] = text
    for row, cells in enumerate(rows):
        for column, text in by_row.get(row, {}).items():
            if column < len(cells):
                cells[column] = ErrorCell(text)
        yield cells


Result = TypeVar("Result")


def _calamine(action: Callable[[], Result]) -> Result:
    """Runs the reader; whatever it makes of a damaged file becomes a finding."""
    try:
        return action()
    except RefusedError:
        raise
    except PasswordError as error:
        raise RefusedError(finding("encrypted-file")) from error
    except (CalamineError, OSError, ValueError) as error:
        raise RefusedError(finding("unreadable-file", detail=str(error).rstrip("."))) from error
    except BaseException as error:
        # the reader's own panic is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise RefusedError(finding("unreadable-file", detail="its contents contradict")) from error


def _inspect_old(path: Path) -> dict[tuple[int, int], str]:
    """The error cells of an xls; raises ``RefusedError`` if it must not be read."""
    if found := inspect_compound(path):
        raise RefusedError(found)
    try:
        return inspect_old_workbook(workbook_stream(path))
    except BrokenError as error:
        raise RefusedError(finding("unreadable-file", detail=str(error))) from error


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"
