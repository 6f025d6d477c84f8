"""The ids and names that every event of a file or a run carries, also where it cannot be loaded."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.submissions.months import get_submission


def names_of_file(connection: Connection, file_id: int) -> dict[str, Any]:
    """What the events of a file carry."""
    files = tables.files
    row = connection.execute(
        sa.select(files.c.submission_id, files.c.name).where(files.c.id == file_id)
    ).one()
    return {"file_id": file_id, "file": row.name, **_names(connection, row.submission_id)}


def names_of_run(connection: Connection, run_id: int) -> dict[str, Any]:
    """What the events of a run carry."""
    runs = tables.runs
    submission = sa.select(runs.c.submission_id).where(runs.c.id == run_id)
    return {"run_id": run_id, **_names(connection, connection.execute(submission).scalar_one())}


def _names(connection: Connection, submission_id: int) -> dict[str, Any]:
    submission = get_submission(connection, submission_id)
    return {
        "submission_id": submission_id,
        "provider": submission.provider,
        "month": f"{submission.month:%Y-%m}",
    }
