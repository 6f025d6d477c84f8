"""Outdated reports: those that show a replaced run; they are made again."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.reports.requests import request_again
from core.vocabulary.states.reports import ReportState
from core.vocabulary.states.submissions import RunState

REASON = "a run that it shows was replaced"


def outdated_runs(connection: Connection, run_ids: Collection[int]) -> list[int]:
    """The runs that are no longer published; all are locked until the transaction ends, so that
    none is replaced before."""
    runs = tables.runs
    query = sa.select(runs.c.id, runs.c.state).where(runs.c.id.in_(run_ids))
    rows = connection.execute(query.with_for_update(read=True))
    return [row.id for row in rows if row.state != RunState.PUBLISHED]


def is_outdated(report_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """SQL: whether some run that the report was made from is no longer published.

    A function of the database answers, because the user of the report may not see that run now.
    """
    return sa.func.report_is_outdated(report_id, type_=sa.Boolean)


def renew_if_outdated(connection: Connection, storage_key: str, user_id: int) -> bool:
    """Whether the stored file shows a replaced run; then it must not be handed out.

    The report is requested again, unless it is being made anew already.
    """
    files, reports = tables.report_files, tables.reports
    query = (
        sa.select(reports.c.id, reports.c.state)
        .join(files, files.c.report_id == reports.c.id)
        .where(files.c.storage_key == storage_key, is_outdated(reports.c.id))
        .with_for_update(of=reports)
    )
    report = connection.execute(query).one_or_none()
    if report is None:
        return False
    if report.state in (ReportState.READY, ReportState.FAILED):
        request_again(connection, report.id, user_id=user_id, reason=REASON)
    return True
