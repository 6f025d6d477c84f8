"""Limits on the files of a provider that wait for a check, so that others are not delayed."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.settings import settings
from core.user_errors import UserError
from core.vocabulary.states.submissions import FileState

WAITING = (FileState.RECEIVED, FileState.CHECKING)


def require_room(connection: Connection, submission_id: int, size: int) -> None:
    """Raises ``UserError`` where a file of this size (bytes) is too many, or too big."""
    here = settings()
    if size > here.upload_bytes:
        raise UserError(f"A file may have {_in_words(here.upload_bytes)}: upload it in parts.")
    files, submissions = tables.files, tables.submissions
    provider = sa.select(submissions.c.provider_id).where(submissions.c.id == submission_id)
    waiting = connection.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(files.c.size), 0))
        .join(submissions, submissions.c.id == files.c.submission_id)
        .where(submissions.c.provider_id == provider.scalar_subquery(), files.c.state.in_(WAITING))
    ).one()
    if waiting[0] >= here.waiting_files or waiting[1] + size > here.waiting_bytes:
        raise UserError(
            f"{waiting[0]:,} files of this provider wait to be checked, with "
            f"{_in_words(waiting[1])}; at most {here.waiting_files:,} with "
            f"{_in_words(here.waiting_bytes)} may. Upload this one when some are done."
        )


def _in_words(size: int) -> str:
    """1.5 GB, 20 MB."""
    for unit, bytes_each in (("GB", 1 << 30), ("MB", 1 << 20)):
        if size >= bytes_each:
            return f"{size / bytes_each:.3g} {unit}"
    return f"{size / 1024:.3g} kB"
