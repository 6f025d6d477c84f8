"""Marks cells in an xlsx itself, so that the copy keeps its formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.engine.offline.copied_cells import AUTHOR, COLOURS, Comment

MOST_CELLS = 1_000_000
"""Cells of a sheet's rectangle, each of which openpyxl makes as it is looked at."""


def mark_whole(
    path: Path, out: Path, sheet_name: str, comments: dict[tuple[int, int], Comment]
) -> bool:
    """Writes the workbook with comments by row and column (from 1); returns whether it could.

    Formulas are replaced by the values that were stored with them, or no reader but Excel could
    read the copy; those without a value stay. Merged cells with a mark are taken apart.
    """
    from openpyxl import load_workbook

    try:
        with path.open("rb") as stream:  # the store's files have no ending, which openpyxl asks for
            workbook = load_workbook(stream, data_only=True)
        with path.open("rb") as stream:
            formulas = load_workbook(stream)
        if any(sheet.max_row * sheet.max_column > MOST_CELLS for sheet in formulas.worksheets):
            return False
        for sheet in workbook.worksheets:
            _put_back(sheet, formulas[sheet.title])
        _mark(workbook[sheet_name], comments)
        workbook.save(out)
    except Exception:
        return False
    return True


def _put_back(sheet: Any, with_formulas: Any) -> None:
    """Formulas whose value is not in the file."""
    for row in with_formulas.iter_rows():
        for cell in row:
            if cell.data_type == "f" and sheet[cell.coordinate].value is None:
                sheet[cell.coordinate].value = cell.value


def _mark(sheet: Any, comments: dict[tuple[int, int], Comment]) -> None:
    from openpyxl.comments import Comment as Note
    from openpyxl.styles import PatternFill

    fills = {name: PatternFill("solid", fgColor=colour) for name, colour in COLOURS.items()}
    for merged in list(sheet.merged_cells.ranges):
        if any((row, column) in comments for row, column in merged.cells):
            sheet.unmerge_cells(merged.coord)
    for (row, column), (severity, text) in comments.items():
        cell = sheet.cell(row, column)
        cell.fill = fills[severity]
        cell.comment = Note(text, AUTHOR, height=120, width=320)
