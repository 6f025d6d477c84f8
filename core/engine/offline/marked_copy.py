"""A copy of a user's own file as a workbook, with the wrong cells marked and commented.

Every row and cell of the file is in it, and checked again it says the same. A small xlsx keeps its
looks; of anything else the sheet is written anew, cell by cell, so that memory stays small however
large the file is.
"""

from __future__ import annotations

import itertools
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.engine.columns.marks import NO_VALUE
from core.engine.dataset.specification import Specification
from core.engine.offline.copied_cells import Comment, CopyWriter
from core.engine.offline.copied_rows import CopiedFile, CopiedRow, Headings, copied_file
from core.engine.offline.copied_whole import mark_whole
from core.engine.reading.kinds import kind_of

KEPT_WHOLE = 20 << 20
"""Bytes that an xlsx copied with its looks may unpack to; openpyxl takes ten times as many."""
MOST_MARKS = 20_000
"""Excel opens a sheet with many more comments only slowly."""
SHEET_ROWS = 1_048_576
"""Rows that a sheet holds; more go on in further workbooks."""


@dataclass(frozen=True)
class Mark:
    """A finding, and where it stands: spreadsheet row (heading = 1), column from 0."""

    row: int
    column: int
    severity: str
    message: str


Comments = dict[int, dict[int, Comment]]
"""By row and column."""


def marks_of(
    findings: Iterable[tuple[int | None, str | None, str, str]], columns: Sequence[str | None]
) -> list[Mark]:
    """Places findings (row, field, severity, message) in a file with these columns.

    What is about the file as a whole stands at its first heading; a field that the file has no
    column for, at the first cell of its row. Where there are more than ``MOST_MARKS``, the first
    cell says so.
    """
    places = {column: place for place, column in enumerate(columns) if column is not None}
    rest = iter(findings)
    marks = [
        Mark(row or 1, places.get(field or "", 0), severity, message)
        for row, field, severity, message in itertools.islice(rest, MOST_MARKS)
    ]
    left = sum(1 for _ in rest)
    if left:
        note = f"{left:,} more findings are not marked here; errors.csv lists all of them."
        marks.append(Mark(1, 0, "warning", note))
    return marks


def write_marked_copy(
    path: Path,
    out: Path,
    marks: Iterable[Mark],
    specification: Specification,
    *,
    sheet: str | None = None,
    headings: Headings = None,
) -> list[Path]:
    """Writes the copy; returns its workbooks.

    More rows than a sheet holds go on in further workbooks: ``OUT-2.xlsx`` and so on. Raises
    ``NothingToMark`` where nothing of the file can be read.
    """
    comments = _comments(marks)
    if kind_of(path) == "xlsx" and _unpacked(path) <= KEPT_WHOLE:
        with copied_file(path, specification, sheet, headings) as original:
            name = original.sheet_name
            cells = {
                (row, column + 1): comment
                for row, columns in comments.items()
                for column, comment in columns.items()
            }
            if mark_whole(path, out, name, cells) and _is_true(original, out, specification):
                return [out]
    with copied_file(path, specification, sheet, headings) as file:
        return _write_anew(file, out, comments)


def _unpacked(path: Path) -> int:
    """Bytes of all parts, as the archive has them; its reader takes no more than it says."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError):
        return KEPT_WHOLE + 1


def _comments(marks: Iterable[Mark]) -> Comments:
    """Errors before warnings where a cell has both."""
    by_cell = defaultdict[tuple[int, int], list[Mark]](list)
    for mark in sorted(marks, key=lambda mark: mark.severity):
        by_cell[mark.row, mark.column].append(mark)
    comments: Comments = defaultdict(dict)
    for (row, column), of_cell in by_cell.items():
        text = "\n".join(dict.fromkeys(mark.message for mark in of_cell))
        comments[row][column] = of_cell[0].severity, text
    return comments


def _is_true(original: CopiedFile, out: Path, specification: Specification) -> bool:
    """Whether the copy holds every cell of the original."""
    with copied_file(out, specification, original.sheet_name) as copy:
        if copy.head != original.head:
            return False
        pairs = itertools.zip_longest(original.rows(), copy.rows())
        return all(a is not None and b is not None and _same(a, b) for a, b in pairs)


def _same(one: CopiedRow, other: CopiedRow) -> bool:
    cells = itertools.zip_longest(one.cells, other.cells, fillvalue="")
    return one.row == other.row and all(_plain(a) == _plain(b) for a, b in cells)


def _plain(text: str) -> str:
    # a formula may be spelt out where the original refers to another
    return NO_VALUE if text.startswith(NO_VALUE) else text


def _write_anew(file: CopiedFile, out: Path, comments: Comments) -> list[Path]:
    """The rows in as many workbooks as they need, each below the rows of the headings."""
    import xlsxwriter

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    head = [CopiedRow(row, cells) for row, cells in enumerate(file.head, start=1)]
    written: list[Path] = []
    rows = file.rows()
    first = next(rows, None)
    above = 0  # rows that earlier workbooks hold
    while first is not None or not written:
        path = out if not written else out.with_name(f"{out.stem}-{len(written) + 1}{out.suffix}")
        written.append(path)
        with xlsxwriter.Workbook(path, options) as workbook:
            writer = CopyWriter(workbook)
            for row in head:
                writer.row(row.row - 1, row.cells, comments.get(row.row, {}), is_head=True)
            for row in itertools.chain([first] if first else [], rows):
                if row.row - above > SHEET_ROWS:
                    above = row.row - len(head) - 1
                    first = row
                    break
                writer.row(
                    row.row - above - 1,
                    row.cells,
                    comments.get(row.row, {}),
                    dates=file.date_columns,
                    typed=file.typed,
                    width=file.width if row.ragged else None,
                )
            else:
                first = None
    return written
