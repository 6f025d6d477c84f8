"""The reports that a person asked for, as they see them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.reports.requests import ReportRequest
from core.reports.states import REPORT_TEXTS, ReportState
from core.user_errors import UserError


@dataclass(frozen=True)
class ReportRow:
    """A report and how it stands."""

    id: int
    name: str
    state: ReportState
    request: ReportRequest
    requested_at: dt.datetime
    storage_key: str | None
    size: int | None
    expires_at: dt.datetime | None
    failure: str | None

    @property
    def text(self) -> str:
        return self.failure or REPORT_TEXTS[self.state]

    @property
    def moving(self) -> bool:
        return self.state in (ReportState.REQUESTED, ReportState.COLLATING)


def reports_of(connection: Connection, user_id: int, *, limit: int = 50) -> list[ReportRow]:
    """The person's reports, newest first."""
    reports = tables.reports
    query = (
        sa.select(reports)
        .where(reports.c.requested_by == user_id)
        .order_by(reports.c.id.desc())
        .limit(limit)
    )
    return [_report(row) for row in connection.execute(query)]


def get_report(connection: Connection, report_id: int) -> ReportRow:
    """One report; raises ``UserError`` where there is none of that number."""
    reports = tables.reports
    row = connection.execute(sa.select(reports).where(reports.c.id == report_id)).first()
    if row is None:
        raise UserError(f"There is no report {report_id}.")
    return _report(row)


def _report(row: sa.Row[Any]) -> ReportRow:
    return ReportRow(
        id=row.id,
        name=row.name,
        state=ReportState(row.state),
        request=ReportRequest.model_validate(row.parameters),
        requested_at=row.requested_at,
        storage_key=row.storage_key,
        size=row.size,
        expires_at=row.expires_at,
        failure=row.failure,
    )
