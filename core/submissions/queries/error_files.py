"""The errors of a file for download: as csv, as a workbook, or marked in a copy of the file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.database import tables
from core.engine.dataset.error_report import COLUMNS, write_report
from core.engine.offline.marked_copy import marks_of, write_marked_copy
from core.files.store import FileStore
from core.submissions.commands.headings import choices_of
from core.submissions.months import get_submission
from core.submissions.queries.error_list import causes, error_rows
from core.submissions.scoped import files_in
from core.submissions.versions import specification_of_file
from core.user_errors import UserError
from core.vocabulary.permissions import Action

KINDS = ("csv", "xlsx", "marked")
_WIDTHS = (34, 8, 20, 20, 18, 10, 70)


@dataclass(frozen=True)
class ErrorFile:
    """A file for download."""

    name: str
    content: bytes


def error_file(
    connection: Connection,
    scope: Scope,
    store: FileStore,
    file_id: int,
    *,
    kind: str,
    scratch: Path,
) -> ErrorFile:
    """Makes the download in the folder ``scratch``; raises ``UserError`` for an unknown file."""
    file = _file(connection, scope, file_id)
    stem = PurePath(file.name).stem
    errors = error_rows(connection, scope, file_id)
    if kind == "csv":
        return ErrorFile(f"{stem} errors.csv", _csv(file.name, errors))
    out = scratch / "errors.xlsx"
    if kind == "xlsx":
        _write_workbook(out, file.name, errors, causes(connection, scope, file_id))
        return ErrorFile(f"{stem} errors.xlsx", out.read_bytes())
    columns = [each["column"] for each in file.headings or []]
    marks = marks_of(((row.row, row.field, row.severity, row.message) for row in errors), columns)
    with store.local_path(file.storage_key) as path:
        specification = specification_of_file(connection, file_id)
        provider_id = get_submission(connection, file.submission_id).provider_id
        chosen = choices_of(connection, provider_id, specification)
        made = write_marked_copy(path, out, marks, specification, sheet=file.sheet, headings=chosen)
    if len(made) == 1:
        return ErrorFile(f"{stem} marked.xlsx", out.read_bytes())
    return ErrorFile(f"{stem} marked.zip", _together(made, f"{stem} marked"))


def _together(workbooks: list[Path], stem: str) -> bytes:
    """Several workbooks in one archive; they are compressed as they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, path in enumerate(workbooks, start=1):
            archive.write(path, f"{stem}{f'-{number}' if number > 1 else ''}.xlsx")
    return out.getvalue()


def _file(connection: Connection, scope: Scope, file_id: int) -> sa.Row[Any]:
    files = tables.files
    query = sa.select(files).where(
        files.c.id == file_id, files_in(scope, files.c.id, Action.UPLOAD, Action.CORRECT)
    )
    errors = connection.execute(query).first()
    if errors is None:
        raise UserError(f"There is no file {file_id}.")
    return errors


def _csv(name: str, errors: Iterable[Any]) -> bytes:
    out = io.BytesIO()
    rows = [[None if cell is None else str(cell) for cell in row] for row in errors]
    texts = pa.schema([(column, pa.string()) for column in COLUMNS[1:]])
    columns = list(zip(*rows, strict=True)) or [()] * len(texts)
    write_report(out, [(name, pa.table([pa.array(each, pa.string()) for each in columns], texts))])
    return out.getvalue()


def _write_workbook(out: Path, name: str, errors: Iterable[Any], grouped: Iterable[Any]) -> None:
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as workbook:
        bold = workbook.add_format({"bold": True, "bg_color": "#E8EDF1"})
        summary = ("rows", "first row", "field", "value", "code", "severity", "message")
        lines = (
            (c.rows, c.first_row, c.field, c.value, c.code, c.severity, c.message) for c in grouped
        )
        _sheet(workbook.add_worksheet("Causes"), summary, lines, bold, (8, 10, *_WIDTHS[2:]))
        rows = ((name, *row) for row in errors)
        _sheet(workbook.add_worksheet("Rows"), COLUMNS, rows, bold, _WIDTHS)


def _sheet(
    sheet: Any,
    headings: tuple[str, ...],
    rows: Iterable[tuple[Any, ...]],
    bold: Any,
    widths: tuple[int, ...],
) -> None:
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, headings, bold)
    last = 0
    for last, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, int):
                sheet.write_number(last, column, cell)
            elif cell is not None:
                sheet.write_string(last, column, cell)
    sheet.autofilter(0, 0, last, len(headings) - 1)
