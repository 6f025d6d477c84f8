"""The errors of a file, grouped by their cause, and the corrections made so far."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.database import tables
from core.submissions.error_cause import Cause
from core.submissions.scoped import files_in
from core.vocabulary.permissions import Action

_EDITING = (Action.UPLOAD, Action.CORRECT)


@dataclass(frozen=True)
class MadeCorrection:
    """A correction in force."""

    id: int
    field: str
    wrong: str | None
    value: str | None
    row: int | None
    made_by: str
    made_at: dt.datetime


def causes(connection: Connection, scope: Scope, file_id: int, *, limit: int = 200) -> list[Cause]:
    """What is wrong in a file: errors before warnings, the most frequent cause first."""
    errors = tables.errors
    rows = sa.func.count().label("rows")
    query = (
        sa.select(
            errors.c.field,
            errors.c.value,
            errors.c.code,
            errors.c.severity,
            errors.c.message,
            rows,
            sa.func.min(errors.c.row).label("first_row"),
        )
        .where(errors.c.file_id == file_id, files_in(scope, errors.c.file_id, *_EDITING))
        .group_by(
            errors.c.field, errors.c.value, errors.c.code, errors.c.severity, errors.c.message
        )
        .order_by(errors.c.severity, rows.desc(), errors.c.field, errors.c.value)
        .limit(limit)
    )
    return [Cause(**row) for row in connection.execute(query).mappings()]


def error_rows(
    connection: Connection, scope: Scope, file_id: int, *, limit: int = 1_000_000
) -> list[Any]:
    """Every error with its row, in the order of the file."""
    errors = tables.errors
    query = (
        sa.select(
            errors.c.row,
            errors.c.field,
            errors.c.value,
            errors.c.code,
            errors.c.severity,
            errors.c.message,
        )
        .where(errors.c.file_id == file_id, files_in(scope, errors.c.file_id, *_EDITING))
        .order_by(errors.c.row.nulls_first(), errors.c.field)
        .limit(limit)
    )
    return list(connection.execute(query))


def corrections_made(connection: Connection, scope: Scope, file_id: int) -> list[MadeCorrection]:
    """The corrections in force, newest first."""
    corrections, users = tables.corrections, tables.users
    query = (
        sa.select(
            corrections.c.id,
            corrections.c.field,
            corrections.c.wrong,
            corrections.c.value,
            corrections.c.row,
            sa.func.coalesce(users.c.name, "").label("made_by"),
            corrections.c.made_at,
        )
        .outerjoin(users, users.c.id == corrections.c.made_by)
        .where(
            corrections.c.file_id == file_id,
            corrections.c.undone_at.is_(None),
            files_in(scope, corrections.c.file_id, *_EDITING),
        )
        .order_by(corrections.c.id.desc())
    )
    return [MadeCorrection(**row) for row in connection.execute(query).mappings()]
