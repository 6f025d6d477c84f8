"""An old workbook (xls), opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.engine.dataset.specification import Specification
from core.engine.reading.refusal import RefusedError, unreadable
from core.engine.reading.workbooks.cell_tables import CellTables
from core.engine.reading.workbooks.workbook_source import Claimed, WorkbookSource
from core.engine.reading.workbooks.xls.book import Sheet, read_book
from core.engine.reading.workbooks.xls.compound import (
    BrokenError,
    inspect_compound,
    workbook_stream,
)
from core.engine.reading.workbooks.xls.sheet import LAST_ROW, cells_of, claimed_rows


class XlsSource(WorkbookSource[Sheet]):
    """One sheet of an xls."""

    def __init__(
        self,
        path: Path,
        specification: Specification,
        sheet: str | None = None,
        least_width: int = 0,
    ) -> None:
        super().__init__(least_width)
        self._path = path
        self._open(self._sheets, specification, sheet)

    def _sheets(self) -> Sequence[Sheet]:
        if finding := inspect_compound(self._path):
            raise RefusedError(finding)
        try:
            self._book = read_book(workbook_stream(self._path))
        except BrokenError as error:
            raise unreadable(str(error)) from error
        return self._book.sheets

    def _tables_of(self, sheet: Sheet) -> tuple[CellTables, Claimed]:
        last_row = claimed_rows(self._book, sheet.position)
        tables = CellTables(cells_of(self._book, sheet.position), 0, self._least_width)
        return tables, Claimed(last_row, last_row >= LAST_ROW)
