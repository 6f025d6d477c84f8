"""The life of one report: begun, written, stored, announced."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.areas.register import AreaRegister
from core.database import tables
from core.database.moving import lock_row
from core.events import catalogue
from core.events.failures import REPORT, Cause, record_failure
from core.events.outbox import raise_event
from core.files.store import FileStore
from core.reports.backing_data import write_backing_data
from core.reports.requests import ReportRequest, event_names
from core.reports.states import REPORT_MACHINE, ReportState
from core.submissions.transitions import move

FAILED_TEXT = (
    "This report could not be made. Ask for it again, or tell support the reference {reference}."
)
KEPT_DAYS = 30
"""How long a finished report is kept in the store."""


@dataclass(frozen=True)
class Report:
    """A report that was asked for."""

    id: int
    state: str
    request: ReportRequest

    @property
    def storage_key(self) -> str:
        return f"reports/{self.id}/{self.request.file_name}"


@dataclass(frozen=True)
class Made:
    """What was written: how many charges, how many bytes."""

    charges: int
    size: int


def load_report(connection: Connection, report_id: int) -> Report:
    """Reads what was asked for."""
    row = connection.execute(
        sa.select(tables.reports).where(tables.reports.c.id == report_id)
    ).one()
    return Report(row.id, row.state, ReportRequest.model_validate(row.parameters))


def begin_report(connection: Connection, report: Report) -> None:
    """Moves the report to collating."""
    move(connection, tables.reports, REPORT_MACHINE, report.id, ReportState.COLLATING, failure=None)


def write_and_store(
    connection: Connection, report: Report, path: Path, store: FileStore, made_at: dt.datetime
) -> Made:
    """Writes the workbook to ``path`` and puts it into the store under the report's key."""
    charges = write_backing_data(
        connection, report.request, path, made_at=made_at, register=AreaRegister.shipped()
    )
    with path.open("rb") as file:
        return Made(charges, store.put(report.storage_key, file).size)


def finish_report(connection: Connection, report: Report, made: Made) -> None:
    """Marks the report as ready and raises its event."""
    now = dt.datetime.now(dt.UTC)
    move(
        connection,
        tables.reports,
        REPORT_MACHINE,
        report.id,
        ReportState.READY,
        storage_key=report.storage_key,
        size=made.size,
        ready_at=now,
        expires_at=now + dt.timedelta(days=KEPT_DAYS),
    )
    raise_event(connection, catalogue.ReportReady(**event_names(report.id, report.request)))


def fail_report(connection: Connection, names: Mapping[str, Any], cause: Cause) -> str:
    """Ends the making of a report; returns the reference that user and operator both see.

    ``names`` are those that every event of the report carries.
    """
    report_id: int = names["report_id"]
    lock_row(connection, tables.reports, report_id)
    reference = record_failure(
        connection,
        REPORT,
        cause,
        subject=f"report/{report_id}",
        title=names["report"],
        payload=names,
    )
    move(
        connection,
        tables.reports,
        REPORT_MACHINE,
        report_id,
        ReportState.FAILED,
        reason=reference,
        failure=FAILED_TEXT.format(reference=reference),
    )
    raise_event(connection, catalogue.ReportFailed(reason=reference, **names))
    return reference
