"""A report made from start to end in one place, as the flow's tasks make it in parts."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from sqlalchemy import Connection

from core.reports.collating.parts import Collated, collate_part, plan_parts
from core.reports.making import Plan, write_report
from core.reports.requests import ReportRequest, runs_to_show
from tests.service.month import REGISTER

MADE_AT = dt.datetime(2017, 5, 2, 9, 30, tzinfo=dt.UTC)


def planned(connection: Connection, request: ReportRequest) -> Plan:
    runs = runs_to_show(connection, request)
    return Plan(runs, plan_parts(connection, request, runs))


def collated(connection: Connection, request: ReportRequest, folder: Path) -> Collated:
    """The parts of a report, collated."""
    plan = planned(connection, request)
    for part in plan.parts:
        collate_part(connection, request, part, folder)
    return Collated(folder, len(plan.parts))


def write_whole(
    connection: Connection, request: ReportRequest, path: Path, *, rows_a_sheet: int = 1000
) -> int:
    """Writes the workbook to ``path``, and what goes beside it to ``path`` with ``.csv``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        collated(connection, request, folder)
        return write_report(
            connection,
            request,
            planned(connection, request),
            folder,
            (path, path.with_suffix(".csv")),
            made_at=MADE_AT,
            register=REGISTER,
            rows_a_sheet=rows_a_sheet,
        )
