"""The ids and names that every event of a month, a file or a run carries."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.engine.tariff.months import Month
from core.submissions.months import SubmissionRow, get_submission


def names_of_submission(submission: SubmissionRow) -> dict[str, Any]:
    """The ids and names that events of a month carry."""
    names = {
        "submission_id": submission.id,
        "provider": submission.provider,
        "month": str(Month.of(submission.month)),
    }
    if submission.service:
        names |= {"dataset": submission.dataset, "service": submission.service}
    return names


def names_of_file(connection: Connection, file_id: int) -> dict[str, Any]:
    """The ids and names that events of a file carry; works even if its check cannot be loaded."""
    files = tables.files
    row = connection.execute(
        sa.select(files.c.submission_id, files.c.name).where(files.c.id == file_id)
    ).one()
    submission = get_submission(connection, row.submission_id)
    return {"file_id": file_id, "file": row.name, **names_of_submission(submission)}


def names_of_run(connection: Connection, run_id: int) -> dict[str, Any]:
    """The ids and names that events of a run carry; works even if the run cannot be loaded."""
    runs = tables.runs
    query = sa.select(runs.c.submission_id).where(runs.c.id == run_id)
    submission = get_submission(connection, connection.execute(query).scalar_one())
    return {"run_id": run_id, **names_of_submission(submission)}
