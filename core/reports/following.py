"""Follows a report until it is made, and copies its files from the store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine

from core.files.store import FileStore
from core.reports.report_list import ReportRow, get_report
from core.support.polling import QUIET_SECONDS, changes
from core.user_errors import UserError
from core.vocabulary.states.reports import ReportState


def follow_report(
    engine: Engine, report_id: int, *, quiet_seconds: float = QUIET_SECONDS
) -> Iterator[ReportRow]:
    """The report after each change; last when it is ready or failed."""

    def look(connection: Connection) -> ReportRow:
        return get_report(connection, report_id)

    for report in changes(engine, look, what="the report", quiet_seconds=quiet_seconds):
        yield report
        if not report.moving:
            return


def copy_report(store: FileStore, report: ReportRow, path: Path) -> None:
    """Copies the workbook to ``path`` and its companion file next to it, with its own suffix;
    raises ``UserError`` where the report is not ready."""
    if report.state != ReportState.READY or not report.files:
        raise UserError(report.text)
    for position, file in enumerate(report.files):
        target = path if position == 0 else path.with_suffix(Path(file.name).suffix)
        with store.local_path(file.storage_key) as stored:
            shutil.copyfile(stored, target)
