"""Writes a report's workbook."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import Engine

from core.files.store import open_store
from core.reports.making import Made, Report, write_and_store
from tasks.faults import RETRYING


@task(
    name="write workbook",
    task_run_name="write {report.request.file_name}",
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRYING,
)
def write_report(engine: Engine, report: Report, path: Path, made_at: dt.datetime) -> Made:
    """Writes the workbook from one consistent view of the charges and stores it."""
    reading = engine.execution_options(isolation_level="REPEATABLE READ")
    with reading.connect() as connection:
        return write_and_store(connection, report, path, open_store(), made_at)
