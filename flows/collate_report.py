"""Collate a report: write the workbook, put it in the store, tell who asked for it."""

from __future__ import annotations

import datetime as dt
import tempfile
from functools import partial
from pathlib import Path

from prefect import flow, get_run_logger
from sqlalchemy import Connection, Engine

from core.database.locks import BusyError
from core.events.failures import Cause
from core.reports.making import Report, begin_report, fail_report, finish_report, load_report
from core.reports.requests import event_names
from core.reports.states import ReportState
from flows.running import failing, working_on
from tasks.reporting import write_report


@flow(name="collate-report", persist_result=False)
def collate_report(report_id: int) -> str:
    """Makes one report and returns the name of its file."""
    try:
        with working_on("report", report_id) as engine:
            return _collate(engine, report_id)
    except BusyError as other:
        get_run_logger().warning("%s", other)
        return str(other)


def _collate(engine: Engine, report_id: int) -> str:
    with engine.begin() as connection:
        report = load_report(connection, report_id)
        if report.state in (ReportState.READY, ReportState.EXPIRED):
            return f"report {report_id} is {report.state} already"
        begin_report(connection, report)
    with (
        failing(engine, f"report {report_id}", partial(_fail, report)),
        tempfile.TemporaryDirectory() as folder,
    ):
        path = Path(folder) / "report.xlsx"
        made = write_report(engine, report, path, dt.datetime.now(dt.UTC))
        with engine.begin() as connection:
            finish_report(connection, report, made)
    return report.request.file_name


def _fail(report: Report, connection: Connection, cause: Cause) -> str:
    return fail_report(connection, event_names(report.id, report.request), cause)
