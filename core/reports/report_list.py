"""The reports of a person, as they see them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import aggregate_order_by

from core.access.scope import Scope
from core.database import tables
from core.reports.outdated import is_outdated
from core.reports.requests import ReportRequest
from core.user_errors import UserError
from core.vocabulary.report_kinds import KINDS
from core.vocabulary.states.reports import REPORT_TEXTS, ReportState


@dataclass(frozen=True)
class ReportFile:
    """A file of a report: its workbook, or its companion file."""

    name: str
    storage_key: str
    size: int


@dataclass(frozen=True)
class ReportRow:
    """A report with its state and progress."""

    id: int
    name: str
    state: ReportState
    request: ReportRequest
    requested_at: dt.datetime
    storage_key: str | None
    size: int | None
    expires_at: dt.datetime | None
    failure: str | None
    parts: int | None
    parts_done: int
    outdated: bool
    files: tuple[ReportFile, ...]

    @property
    def text(self) -> str:
        if self.outdated:
            return "A month in it was submitted again since it was made. Make it again."
        return self.failure or REPORT_TEXTS[self.state]

    @property
    def share_done(self) -> float:
        """The share that is collated, 0 to 1; writing the workbook counts as one part."""
        return self.parts_done / (self.parts + 1) if self.parts else 0.0

    @property
    def moving(self) -> bool:
        return self.state in (ReportState.REQUESTED, ReportState.COLLATING)


def reports_of(connection: Connection, scope: Scope, *, limit: int = 50) -> list[ReportRow]:
    """The person's reports that their rights of today allow, newest first."""
    query = _query().where(tables.reports.c.requested_by == scope.user_id, _allowed(scope))
    query = query.order_by(tables.reports.c.id.desc()).limit(limit)
    return [_report(row) for row in connection.execute(query)]


def _allowed(scope: Scope) -> sa.ColumnElement[bool]:
    """The condition on reports of an organisation and a kind that the scope may see today."""
    if scope.unlimited:
        return sa.true()
    parameters = tables.reports.c.parameters
    return sa.or_(
        sa.false(),
        *(
            sa.and_(
                parameters["kind"].astext == kind,
                parameters["side"].astext == side,
                parameters["organisation"].astext.in_(scope.codes(about.action, side)),
            )
            for kind, about in KINDS.items()
            for side in about.sides
        ),
    )


def get_report(connection: Connection, report_id: int) -> ReportRow:
    """One report; raises ``UserError`` for an unknown number."""
    row = connection.execute(_query().where(tables.reports.c.id == report_id)).first()
    if row is None:
        raise UserError(f"There is no report {report_id}.")
    return _report(row)


def _query() -> sa.Select[Any]:
    reports, files = tables.reports, tables.report_files
    listed = (
        sa.select(
            sa.func.json_agg(
                aggregate_order_by(
                    sa.func.json_build_array(files.c.name, files.c.storage_key, files.c.size),
                    files.c.position,
                )
            )
        )
        .where(files.c.report_id == reports.c.id)
        .scalar_subquery()
    )
    return sa.select(reports, listed.label("files"), is_outdated(reports.c.id).label("is_outdated"))


def _report(row: sa.Row[Any]) -> ReportRow:
    state = ReportState(row.state)
    return ReportRow(
        id=row.id,
        name=row.name,
        state=state,
        request=ReportRequest.model_validate(row.parameters),
        requested_at=row.requested_at,
        storage_key=row.storage_key,
        size=row.size,
        expires_at=row.expires_at,
        failure=row.failure,
        parts=row.parts,
        parts_done=row.parts_done,
        outdated=state == ReportState.READY and row.is_outdated,
        files=tuple(ReportFile(*each) for each in row.files or ()),
    )
