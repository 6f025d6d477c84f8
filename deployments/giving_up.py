"""Gives work up that was started often enough, to its user, to operators and to the error queue."""

from __future__ import annotations

from sqlalchemy import Connection

from core.areas.walks import fail_walk
from core.events.catalogue import (
    Event,
    MigrationRequested,
    ReportRequested,
    SpiderRequested,
    SubmissionRequested,
)
from core.events.failures import Cause
from core.migration.runs import fail_migration
from core.reports.making import fail_report
from core.submissions.failing import fail_check, fail_run

OF_FILE = {"file_id", "file", "submission_id", "provider", "month"}
OF_RUN = {"run_id", "submission_id", "provider", "month"}


def give_up(connection: Connection, asked: Event, *, why: str, attempts: int) -> str:
    """Ends the work that ``asked`` asked for, in the caller's transaction; gives the reference."""
    cause = Cause(reason=why, attempts=attempts)
    if isinstance(asked, SubmissionRequested):
        return fail_run(connection, asked.model_dump(include=OF_RUN), cause)
    if isinstance(asked, ReportRequested):
        return fail_report(connection, asked.model_dump(), cause)
    if isinstance(asked, SpiderRequested):
        return fail_walk(connection, asked.run_id, asked.area, cause)
    if isinstance(asked, MigrationRequested):
        return fail_migration(connection, asked.run_id, cause)
    return fail_check(connection, asked.model_dump(include=OF_FILE), cause)
