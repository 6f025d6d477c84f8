"""The rows behind a cause, as they were uploaded."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.database import tables
from core.database.records import records_table
from core.engine.dataset.specification import Specification
from core.submissions.error_cause import Cause
from core.submissions.scoped import files_in
from core.vocabulary.permissions import Action

SHOWN = 50
"""The number of rows shown for a cause; the downloads have all."""


@dataclass(frozen=True)
class ErrorRow:
    """A row of a file: the cells that are filled, wrong ones as uploaded."""

    row: int
    cells: dict[str, str]


def rows_of(
    connection: Connection,
    scope: Scope,
    file_id: int,
    cause: Cause,
    specification: Specification,
    *,
    limit: int = SHOWN,
) -> list[ErrorRow]:
    """The first rows that have the cause, in the order of the file.

    Wrong cells come from the findings, the others from the stored record.
    """
    errors = tables.errors
    row_query = (
        sa.select(errors.c.row)
        .where(
            errors.c.file_id == file_id,
            errors.c.code == cause.code,
            errors.c.field.is_not_distinct_from(cause.field),
            errors.c.value.is_not_distinct_from(cause.value),
            errors.c.row.is_not(None),
            files_in(scope, errors.c.file_id, Action.UPLOAD, Action.CORRECT),
        )
        .distinct()
        .order_by(errors.c.row)
        .limit(limit)
    )
    rows = list(connection.execute(row_query).scalars())
    cells = {row: dict[str, str]() for row in rows}
    for record in connection.execute(_records(file_id, rows, specification)).mappings():
        cells[record["row"]] = {
            column: record[column] for column in specification.columns if record[column] is not None
        }
    wrong_cells = sa.select(errors.c.row, errors.c.field, errors.c.value).where(
        errors.c.file_id == file_id, errors.c.row.in_(rows), errors.c.field.is_not(None)
    )
    for row, field, value in connection.execute(wrong_cells):
        cells[row][field] = value or ""
    return [ErrorRow(row, cells[row]) for row in rows]


def _records(
    file_id: int, rows: list[int], specification: Specification
) -> sa.Select[tuple[object, ...]]:
    table = sa.table(
        records_table(specification),
        sa.column("file_id"),
        sa.column("row"),
        *(sa.column(column) for column in specification.columns),
    )
    return sa.select(*table.c).where(table.c.file_id == file_id, table.c.row.in_(rows))
