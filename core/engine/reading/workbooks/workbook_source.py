"""A workbook, opened: the headings of the sheet that is read, and tables of its rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Generic, NamedTuple

import pyarrow as pa

from core.engine.dataset.problems import finding
from core.engine.dataset.specification import Specification
from core.engine.reading.refusal import RefusedError
from core.engine.reading.workbooks.cell_tables import CellTables
from core.engine.reading.workbooks.sheets import SheetTop, SomeSheet, other_sheets, sheet_to_read


class Claimed(NamedTuple):
    """The size that a sheet declares, which may be wrong."""

    last_row: int
    is_full: bool


class WorkbookSource(ABC, Generic[SomeSheet]):
    """One sheet of a workbook, the first visible one or the one named.

    A workbook has no ragged rows: cells that are not there are blank.
    """

    def __init__(self, least_width: int = 0) -> None:
        self._least_width = least_width
        self.head: list[list[str]] = []
        self.heading_row = 1
        self.rows_there = 0
        self.findings: list[dict[str, Any]] = []
        self.ragged: list[dict[str, Any]] = []
        self.ragged_cells: dict[int, list[str]] | None = None
        """Where it is set, rows that a note calls ragged come like any others."""
        self.sheet_name = ""
        self.sheets: list[str] = []
        """The names of the sheets that a person sees."""
        self._tables: CellTables | None = None
        self._last_row = 0

    @property
    def cells(self) -> list[str]:
        """The headings."""
        return self.head[self.heading_row - 1] if self.head else []

    @property
    def beyond(self) -> Collection[int]:
        """Columns right of the table that hold something, known once its rows were read."""
        return self._tables.beyond if self._tables else ()

    def tables(self, positions: Collection[int], chunk_rows: int) -> Iterator[pa.Table]:
        """Tables of ``chunk_rows`` rows: ``row`` and the wanted columns, with marks."""
        if self._tables is None:
            return
        names = ["row", *map(str, positions)]
        self._tables.keeps_noted = self.ragged_cells is not None
        try:
            for table in self._tables.tables(chunk_rows, self.heading_row):
                self.rows_there += table.num_rows
                yield table.select(names)
            self.rows_there = self._tables.rows_there
        except RefusedError as refused:  # something further down cannot be read
            self.ragged.append(refused.finding)
        self.ragged.extend(self._tables.left_out)

    def expected_tables(self, chunk_rows: int) -> int | None:
        """By the number of rows that the sheet declares."""
        return -(-max(self._last_row - 1, 0) // chunk_rows) if self._last_row else None

    def close(self) -> None:
        """Closes the file."""

    @abstractmethod
    def _tables_of(self, sheet: SomeSheet) -> tuple[CellTables, Claimed]:
        """The rows of a sheet."""

    def _open(
        self,
        sheets: Callable[[], Sequence[SomeSheet]],
        specification: Specification,
        sheet_name: str | None,
    ) -> None:
        try:
            self._open_sheet(sheets(), specification, sheet_name)
        except RefusedError as refused:
            self.head, self.findings = [], [refused.finding]

    def _open_sheet(
        self, sheets: Sequence[SomeSheet], specification: Specification, sheet_name: str | None
    ) -> None:
        self.sheets = [sheet.name for sheet in sheets if sheet.visible]
        chosen = sheet_to_read(sheets, sheet_name)
        self.sheet_name = chosen.name
        self._tables, claimed = self._tables_of(chosen)
        self._last_row = claimed.last_row
        read = SheetTop(chosen.name, True, self._tables.top(), full=claimed.is_full)
        others = [
            SheetTop(sheet.name, sheet.visible, self._tables_of(sheet)[0].top())
            for sheet in sheets
            if sheet is not chosen
        ]
        self.findings = other_sheets(read, others, specification, chosen=sheet_name is not None)
        self.head = self._tables.head()
        if self._tables.is_blank:
            self.findings = [finding("empty-file"), *self.findings]
