"""Writes rows of the audit: who did or read what, with details."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.database import tables


def note(
    connection: Connection,
    action: str,
    subject: str,
    *,
    user_id: int | None,
    reason: str | None = None,
    once: str | None = None,
    **detail: Any,
) -> None:
    """Writes a row in the caller's transaction, which knows the address of the user.

    ``once`` is a key; a second row with the same key is not written.
    """
    connection.execute(
        insert(tables.audit)
        .values(
            user_id=user_id,
            action=action,
            subject=subject,
            reason=reason,
            once=once,
            detail=detail or None,
        )
        .on_conflict_do_nothing()
        .inline()  # nothing is read back: a user who is refused may not read the audit
    )
