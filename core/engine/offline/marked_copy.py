"""A copy of a user's own file as a workbook, with the wrong cells marked and commented.

A small xlsx keeps all that was in it; of anything else the first sheet is written anew, cell by
cell, so that memory stays small however large the file is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from core.engine.columns.marks import take_marks_off
from core.engine.dataset.specification import Specification
from core.engine.reading.files import open_source
from core.engine.reading.kinds import kind_of

KEPT_WHOLE = 4_000_000
"""Bytes of an xlsx that is copied with its looks; openpyxl takes a hundred times that in memory."""
MOST_MARKS = 20_000
"""Excel opens a sheet with many more comments only slowly."""
COLOURS = {"error": "F8C9C4", "warning": "FBE5B6"}
AUTHOR = "Grouper"
_CHUNK_ROWS = 5_000


@dataclass(frozen=True)
class Mark:
    """A finding, and where it stands: spreadsheet row (heading = 1), column from 0."""

    row: int
    column: int
    severity: str
    message: str


def marks_of(
    findings: Iterable[tuple[int | None, str | None, str, str]], columns: Sequence[str | None]
) -> list[Mark]:
    """Places findings (row, field, severity, message) in a file with these columns.

    What is about the file as a whole stands at its first heading; a field that the file has no
    column for, at the first cell of its row.
    """
    places = {column: place for place, column in enumerate(columns) if column is not None}
    return [
        Mark(row or 1, places.get(field or "", 0), severity, message)
        for row, field, severity, message in findings
    ][:MOST_MARKS]


def write_marked_copy(
    path: Path, out: Path, marks: Iterable[Mark], specification: Specification
) -> None:
    """Writes the copy; errors before warnings where a cell has both."""
    by_cell = defaultdict[tuple[int, int], list[Mark]](list)
    for mark in sorted(marks, key=lambda each: each.severity):
        by_cell[mark.row, mark.column].append(mark)
    if kind_of(path) == "xlsx" and path.stat().st_size <= KEPT_WHOLE:
        _mark_whole(path, out, by_cell)
    else:
        _write_anew(path, out, by_cell, specification)


def _mark_whole(path: Path, out: Path, by_cell: dict[tuple[int, int], list[Mark]]) -> None:
    from openpyxl import load_workbook
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    fills = {name: PatternFill("solid", fgColor=colour) for name, colour in COLOURS.items()}
    with path.open("rb") as stream:  # the store's files have no ending, which openpyxl asks for
        workbook = load_workbook(stream)
    sheet = workbook.worksheets[0]
    for (row, column), found in by_cell.items():
        cell = sheet.cell(row, column + 1)
        cell.fill = fills[found[0].severity]
        cell.comment = Comment(_text(found), AUTHOR, height=120, width=320)
    workbook.save(out)


def _write_anew(
    path: Path,
    out: Path,
    by_cell: dict[tuple[int, int], list[Mark]],
    specification: Specification,
) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(
        out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as workbook:
        sheet = workbook.add_worksheet("Activity")
        looks = {name: workbook.add_format({"bg_color": f"#{c}"}) for name, c in COLOURS.items()}
        sheet.freeze_panes(1, 0)
        for row, cells in _rows(path, specification):
            for column, text in enumerate(cells):
                found = by_cell.get((row, column))
                if found:
                    sheet.write_string(row - 1, column, text, looks[found[0].severity])
                    sheet.write_comment(row - 1, column, _text(found), {"author": AUTHOR})
                elif text:
                    sheet.write_string(row - 1, column, text)


def _rows(path: Path, specification: Specification) -> Iterator[tuple[int, list[str]]]:
    """Spreadsheet row and the texts of its cells."""
    source = open_source(path, specification)
    try:
        if source.findings:
            return
        yield 1, source.cells
        for table in source.tables(range(len(source.cells)), _CHUNK_ROWS):
            names = [name for name in table.column_names if name != "row"]
            columns = [_texts(table[name]) for name in names]
            for row, *cells in zip(table["row"].to_pylist(), *columns, strict=True):
                yield row, cells
    finally:
        source.close()


def _texts(column: pa.ChunkedArray) -> list[str]:
    bare, _ = take_marks_off(column.cast(pa.string()).combine_chunks())
    return [text or "" for text in bare.to_pylist()]


def _text(found: list[Mark]) -> str:
    return "\n".join(dict.fromkeys(mark.message for mark in found))
