"""Every row of a file as it is, including rows that can be no records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from core.engine.columns.coded import Coded
from core.engine.dataset.headings import match_headings
from core.engine.dataset.specification import Specification
from core.engine.reading.files import OF_SHEETS, Source, find_headings, open_source
from core.user_errors import UserError

_CHUNK_ROWS = 5_000

Headings = Mapping[str, str | None] | None
"""The columns of headings that do not match by themselves."""


class NothingToMark(UserError):
    """No row of the file can be read; its own finding says why."""


@dataclass
class CopiedRow:
    """Spreadsheet row, and the texts of its cells: of typed cells, with marks.

    ``ragged``: the row has too many cells or too few, or cannot be told apart.
    """

    row: int
    cells: list[str]
    ragged: bool = False


@dataclass
class CopiedFile:
    """A file, opened to be copied. ``date_columns``: those that hold dates as texts."""

    head: list[list[str]]
    heading_row: int
    date_columns: frozenset[int]
    typed: bool
    sheet_name: str
    source: Source = field(repr=False)

    @property
    def width(self) -> int:
        """Cells that a row should have."""
        return len(self.source.cells)

    def rows(self) -> Iterator[CopiedRow]:
        """The rows below the headings, in order."""
        ragged: dict[int, list[str]] = {}
        self.source.ragged_cells = ragged
        for table in self.source.tables(range(len(self.source.cells)), _CHUNK_ROWS):
            rows = dict(_rows_of(table))
            yield from self._in_order(rows, ragged)
        yield from self._in_order({}, ragged)

    @staticmethod
    def _in_order(rows: dict[int, list[str]], ragged: dict[int, list[str]]) -> Iterator[CopiedRow]:
        """Rows of both kinds, by row; empties ``ragged`` for the next table."""
        ragged_now = dict(ragged)
        ragged.clear()
        for row in sorted({*rows, *ragged_now}):
            if row in ragged_now:
                yield CopiedRow(row, ragged_now[row], ragged=True)
            else:
                yield CopiedRow(row, rows[row])


@contextmanager
def copied_file(
    path: Path, specification: Specification, sheet: str | None, headings: Headings = None
) -> Iterator[CopiedFile]:
    """Opens it at its headings, as wide as its widest row; raises ``NothingToMark``."""
    width = 0
    with _opened(path, specification, sheet, headings, width) as file:
        for _ in file.source.tables(range(len(file.source.cells)), _CHUNK_ROWS):
            pass  # whether a row reaches beyond the headings is known once all are read
        for found in file.source.ragged:
            if found["code"] == "unreadable-file":
                raise NothingToMark(f"{_not_markable(path)} {found['message']}")
        width = max(file.source.beyond, default=-1) + 1
    with _opened(path, specification, sheet, headings, width) as file:
        yield file


@contextmanager
def _opened(
    path: Path, specification: Specification, sheet: str | None, headings: Headings, width: int
) -> Iterator[CopiedFile]:
    source = open_source(path, specification, sheet=sheet, least_width=width)
    try:
        unread = [each for each in source.findings if each["code"] not in OF_SHEETS]
        if unread or not source.head:
            reason = unread[0]["message"] if unread else "It is empty."
            raise NothingToMark(f"{_not_markable(path)} {reason}")
        layout = find_headings(
            source, partial(match_headings, specification=specification, chosen=headings), None
        )
        for found in layout.findings:
            if found["code"] == "headings-elsewhere" and found["row"]:
                source.heading_row = found["row"]
                layout = match_headings(source.cells, specification, chosen=headings)
        dates = {name for name, field in specification.columns.items() if field.type == "date"}
        columns = {at for at, column in enumerate(layout.columns) if column in dates}
        yield CopiedFile(
            head=source.head[: source.heading_row],
            heading_row=source.heading_row,
            date_columns=frozenset(columns),
            typed=bool(source.sheets),
            sheet_name=getattr(source, "sheet_name", ""),
            source=source,
        )
    finally:
        source.close()


def _not_markable(path: Path) -> str:
    return f"{path.name} cannot be read, so nothing in it can be marked."


def _rows_of(table: pa.Table) -> Iterator[tuple[int, list[str]]]:
    names = [name for name in table.column_names if name != "row"]
    columns = [_texts(Coded.from_column(table[name])) for name in names]
    for row, *cells in zip(table["row"].to_pylist(), *columns, strict=True):
        yield row, cells


def _texts(cells: Coded) -> list[str]:
    values = np.array([*cells.values.to_pylist(), ""], dtype=object)
    return list(values[cells.codes])
