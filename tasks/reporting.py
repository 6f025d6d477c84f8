"""The tasks of a report: one for each part, and one that writes its files."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import Engine

from core.files.store import open_store
from core.reports import making
from core.reports.collating.parts import Part
from core.reports.making import Made, Plan, Report
from tasks.faults import RETRYING, without_error_text


@task(
    name="collate part",
    task_run_name="collate a part of report {report.id}",
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRYING,
)
@without_error_text
def collate(engine: Engine, report: Report, part: Part, folder: Path) -> None:
    """Reads one part of the report and stores it in ``folder``."""
    with engine.begin() as connection:
        making.collate(connection, report, part, folder)


@task(
    name="put together",
    task_run_name="write report {report.id}",
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRYING,
)
@without_error_text
def write_files(
    engine: Engine, report: Report, plan: Plan, folder: Path, made_at: dt.datetime
) -> Made:
    """Writes the files of the report from its parts, and stores them."""
    with engine.connect() as connection:
        return making.write_and_store(
            connection, report, plan, folder, store=open_store(), made_at=made_at
        )
