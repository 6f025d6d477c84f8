"""Confirmations of warnings: a confirmed warning is no longer shown as open."""

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
    """The key of a confirmation: code, field and value; blanks are empty."""
    return cause.code, cause.field or "", cause.value or ""


def confirmed_in(connection: Connection, scope: Scope, file_id: int) -> Confirmed:
    """The causes that were confirmed in a file."""
    confirmations = tables.warning_confirmations
    query = sa.select(confirmations.c.code, confirmations.c.field, confirmations.c.value).where(
        confirmations.c.file_id == file_id,
        files_in(scope, confirmations.c.file_id, Action.UPLOAD, Action.CORRECT),
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
    keys = [" ".join(key_of(cause)) for cause in chosen]
    note(connection, "warnings confirmed", f"file:{file_id}", user_id=user_id, warnings=keys)


def reopen_warning(
    connection: Connection, file_id: int, cause: Cause, *, user_id: int | None
) -> None:
    """Withdraws the confirmation of a warning."""
    require(connection, user_id, Action.CORRECT, _provider_of(connection, file_id))
    confirmations = tables.warning_confirmations
    code, field, value = key_of(cause)
    connection.execute(
        sa.delete(confirmations).where(
            confirmations.c.file_id == file_id,
            confirmations.c.code == code,
            confirmations.c.field == field,
            confirmations.c.value == value,
        )
    )


def _provider_of(connection: Connection, file_id: int) -> int:
    months, files = tables.submissions, tables.files
    query = (
        sa.select(months.c.provider_id)
        .join(files, files.c.submission_id == months.c.id)
        .where(files.c.id == file_id)
    )
    provider_id = connection.execute(query).scalar()
    if provider_id is None:
        raise UserError(f"There is no file {file_id}.")
    return int(provider_id)
