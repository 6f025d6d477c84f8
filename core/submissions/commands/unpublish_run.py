"""Unpublishes a run: another replaces it, or the files of its month changed."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.submissions.transitions import move
from core.vocabulary.states.submissions import RUN_MACHINE, RunState


def unpublish_run(
    connection: Connection, submission_id: int, *, reason: str, user_id: int | None = None
) -> None:
    """Marks the submission's published run, if it has one, as replaced."""
    runs = tables.runs
    query = sa.select(runs.c.id).where(
        runs.c.submission_id == submission_id, runs.c.state == RunState.PUBLISHED
    )
    for run_id in connection.execute(query).scalars().all():
        move(
            connection, runs, RUN_MACHINE, run_id, RunState.REPLACED, user_id=user_id, reason=reason
        )
