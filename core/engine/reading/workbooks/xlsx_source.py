"""An xlsx, opened."""

from __future__ import annotations

from pathlib import Path

from core.engine.dataset.specification import Specification
from core.engine.reading.workbooks.cell_tables import CellTables
from core.engine.reading.workbooks.workbook_source import Claimed, WorkbookSource
from core.engine.reading.workbooks.xlsx.book import Sheet, read_book
from core.engine.reading.workbooks.xlsx.package import Package
from core.engine.reading.workbooks.xlsx.sheet import LAST_ROW, SheetReader
from core.engine.reading.workbooks.xlsx.strings import read_strings


class XlsxSource(WorkbookSource[Sheet]):
    """One sheet of an xlsx."""

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

    def close(self) -> None:
        """Closes the file."""
        if hasattr(self, "_package"):
            self._package.close()

    def _sheets(self) -> list[Sheet]:
        self._package = Package(self._path)
        self._book = read_book(self._package)
        self._strings = read_strings(self._package, self._book.strings_part)
        return self._book.sheets

    def _tables_of(self, sheet: Sheet) -> tuple[CellTables, Claimed]:
        reader = SheetReader(self._package, sheet.part, self._book, self._strings)
        last_row, last_column = reader.dimension
        tables = CellTables(reader.cells(), last_column, self._least_width)
        return tables, Claimed(last_row, last_row >= LAST_ROW)
