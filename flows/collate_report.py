"""Collate a report: its parts, then its files, which are stored; its user is notified."""

from __future__ import annotations

import datetime as dt
import tempfile
from functools import partial
from pathlib import Path

from prefect import flow, get_run_logger
from prefect.futures import wait
from sqlalchemy import Connection, Engine

from core.reports.making import (
    Outdated,
    Report,
    begin_report,
    fail_report,
    finish_report,
    load_report,
    plan_report,
)
from core.reports.requests import event_names
from core.support.faults import Fault
from core.vocabulary.states.reports import ReportState
from flows.running import chunk_threads, recording_failure, run_exclusively
from tasks.progress import ProgressBar
from tasks.reporting import collate, write_files


@flow(name="collate-report", task_runner=chunk_threads(), persist_result=False)
def collate_report(report_id: int) -> str:
    """Makes one report."""
    return run_exclusively("report", report_id, partial(_collate, report_id))


def _collate(report_id: int, engine: Engine) -> str:
    with engine.begin() as connection:
        report = load_report(connection, report_id)
        if report.state in (ReportState.READY, ReportState.EXPIRED):
            return f"report {report_id} is {report.state} already"
        begin_report(connection, report)
    with recording_failure(engine, f"report {report_id}", partial(_fail, report)):
        while not _make(engine, report):
            get_run_logger().info("a run that the report shows was replaced: made again")
    return f"report {report_id} is made"


def _make(engine: Engine, report: Report) -> bool:
    """Makes the report from the published runs; False if one was replaced meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with engine.begin() as connection:
            plan = plan_report(connection, report)
        progress = ProgressBar(
            f"report-{report.id}", f"Report {report.id}", steps=len(plan.parts) + 1
        )
        futures = [collate.submit(engine, report, part, folder) for part in plan.parts]
        wait(futures)
        for future in futures:
            future.result()
            progress.step()
        made = write_files(engine, report, plan, folder, dt.datetime.now(dt.UTC))
        try:
            with engine.begin() as connection:
                finish_report(connection, report, plan, made)
        except Outdated:
            return False
        progress.finish(f"{made.rows:,} rows")
        return True


def _fail(report: Report, connection: Connection, fault: Fault) -> str:
    return fail_report(connection, event_names(report.id, report.request), fault)
