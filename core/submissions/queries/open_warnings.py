"""The warnings of a month that nobody has confirmed, by cause."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.database import tables
from core.submissions.scoped import files_in
from core.vocabulary.permissions import Action
from core.vocabulary.states.submissions import FileState


@dataclass(frozen=True)
class OpenWarning:
    """A cause of warnings in a file, and in how many rows it stands."""

    file: str
    message: str
    rows: int


def open_warnings(connection: Connection, scope: Scope, submission_id: int) -> list[OpenWarning]:
    """The unconfirmed causes of all files of the month, the most frequent first."""
    errors, files = tables.errors.c, tables.files.c
    confirmed = tables.warning_confirmations.c
    rows = sa.func.count().label("rows")
    is_confirmed = sa.exists().where(
        confirmed.file_id == errors.file_id,
        confirmed.code == errors.code,
        confirmed.field == sa.func.coalesce(errors.field, ""),
        confirmed.value == sa.func.coalesce(errors.value, ""),
    )
    query = (
        sa.select(files.name, errors.message, rows)
        .join(tables.files, files.id == errors.file_id)
        .where(
            files.submission_id == submission_id,
            files.state != FileState.REMOVED,
            errors.severity == "warning",
            files_in(scope, errors.file_id, Action.UPLOAD, Action.CORRECT),
            sa.not_(is_confirmed),
        )
        .group_by(files.name, errors.message)
        .order_by(rows.desc(), files.name, errors.message)
    )
    return [OpenWarning(*row) for row in connection.execute(query)]
