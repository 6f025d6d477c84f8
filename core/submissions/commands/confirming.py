"""A warning that is as it should be is confirmed: it is not shown as open again."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.access.audit import note
from core.access.scope import Scope, require
from core.database import tables
from core.submissions.error_cause import Cause
from core.submissions.scoped import files_in
from core.user_errors import UserError
from core.vocabulary.permissions import Action

Confirmed = set[tuple[str, str, str]]
"""Code, field and value of each cause that was confirmed."""


def key_of(cause: Cause) -> tuple[str, str, str]:
    """What a confirmation is known by."""
    return cause.code, cause.field or "", cause.value or ""


def confirmed_in(connection: Connection, scope: Scope, file_id: int) -> Confirmed:
    """What was confirmed in a file."""
    found = tables.warning_confirmations
    query = sa.select(found.c.code, found.c.field, found.c.value).where(
        found.c.file_id == file_id,
        files_in(scope, found.c.file_id, Action.UPLOAD, Action.CORRECT),
    )
    return {(row.code, row.field, row.value) for row in connection.execute(query)}


def confirm(
    connection: Connection, file_id: int, causes: Iterable[Cause], *, user_id: int | None
) -> None:
    """Confirms warnings; raises ``UserError`` for an error, which has to be put right."""
    chosen = list(causes)
    if any(cause.severity != "warning" for cause in chosen):
        raise UserError("Errors cannot be confirmed. Put them right.")
    require(connection, user_id, Action.CORRECT, _provider_of(connection, file_id))
    rows = [
        {"file_id": file_id, "confirmed_by": user_id}
        | dict(zip(("code", "field", "value"), key_of(cause), strict=True))
        for cause in chosen
    ]
    connection.execute(insert(tables.warning_confirmations).on_conflict_do_nothing(), rows)
    told = [" ".join(key_of(cause)) for cause in chosen]
    note(connection, "warnings confirmed", f"file:{file_id}", user_id=user_id, warnings=told)


def take_back(connection: Connection, file_id: int, cause: Cause, *, user_id: int | None) -> None:
    """The warning is open again."""
    require(connection, user_id, Action.CORRECT, _provider_of(connection, file_id))
    found = tables.warning_confirmations
    code, field, value = key_of(cause)
    connection.execute(
        sa.delete(found).where(
            found.c.file_id == file_id,
            found.c.code == code,
            found.c.field == field,
            found.c.value == value,
        )
    )


def _provider_of(connection: Connection, file_id: int) -> int:
    months, files = tables.submissions, tables.files
    query = (
        sa.select(months.c.provider_id)
        .join(files, files.c.submission_id == months.c.id)
        .where(files.c.id == file_id)
    )
    found = connection.execute(query).scalar()
    if found is None:
        raise UserError(f"There is no file {file_id}.")
    return int(found)
