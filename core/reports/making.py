"""The steps of making one report: begin, plan, collate, write, store, finish or fail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from core.areas.register_store import register_in_use
from core.database import tables
from core.database.moving import lock_row
from core.engine.areas.register import AreaRegister
from core.events.failures import record_failure
from core.events.outbox import raise_event
from core.files.store import FileStore
from core.reports.collating.parts import Collated, Part, collate_part, plan_parts
from core.reports.outdated import outdated_runs
from core.reports.report_context import read_context
from core.reports.report_writers import WRITERS
from core.reports.requests import ReportRequest, event_names, nothing_to_show, runs_to_show
from core.reports.workbooks.workbook import ROWS_A_SHEET, Workbook
from core.settings import settings
from core.submissions.transitions import move
from core.support.faults import Fault
from core.user_errors import UserError
from core.vocabulary import event_catalogue
from core.vocabulary.failure_kinds import FailureKind
from core.vocabulary.states.reports import REPORT_MACHINE, ReportState

FAILED_TEXT = (
    "This report could not be made. Ask for it again, or tell support the reference {reference}."
)


@dataclass(frozen=True)
class Report:
    """A report that was requested."""

    id: int
    state: str
    request: ReportRequest


@dataclass(frozen=True)
class Plan:
    """The published runs that a report is made from, and the parts in which it is collated.

    Published charges never change, so the parts always agree with each other.
    """

    runs: Sequence[Row[Any]]
    parts: list[Part]

    @property
    def run_ids(self) -> list[int]:
        return [run.id for run in self.runs]


@dataclass(frozen=True)
class MadeFile:
    """A file of a report in the store."""

    name: str
    storage_key: str
    size: int


@dataclass(frozen=True)
class Made:
    """The result: the number of rows, and the files, the workbook first."""

    rows: int
    files: list[MadeFile]

    @property
    def size(self) -> int:
        return self.files[0].size


class Outdated(Exception):
    """A run that the report was made from was replaced meanwhile; make the report again."""


def load_report(connection: Connection, report_id: int) -> Report:
    """Reads a report and its request."""
    row = connection.execute(
        sa.select(tables.reports).where(tables.reports.c.id == report_id)
    ).one()
    return Report(row.id, row.state, ReportRequest.model_validate(row.parameters))


def begin_report(connection: Connection, report: Report) -> None:
    """Moves the report to collating."""
    move(connection, tables.reports, REPORT_MACHINE, report.id, ReportState.COLLATING, failure=None)


def plan_report(connection: Connection, report: Report) -> Plan:
    """Plans the runs and parts of a report, and records the number of parts."""
    runs = runs_to_show(connection, report.request)
    if not runs:
        raise UserError(nothing_to_show(report.request))
    plan = Plan(runs, plan_parts(connection, report.request, runs))
    _note(connection, report.id, parts=len(plan.parts), parts_done=0)
    return plan


def collate(connection: Connection, report: Report, part: Part, folder: Path) -> None:
    """Collates one part and counts it as done."""
    collate_part(connection, report.request, part, folder)
    _note(connection, report.id, parts_done=tables.reports.c.parts_done + 1)


def _note(connection: Connection, report_id: int, **values: Any) -> None:
    reports = tables.reports
    connection.execute(reports.update().where(reports.c.id == report_id).values(**values))


def write_and_store(
    connection: Connection,
    report: Report,
    plan: Plan,
    folder: Path,
    *,
    store: FileStore,
    made_at: dt.datetime,
) -> Made:
    """Writes the report's files from the parts in ``folder``, and stores them."""
    paths = folder / "report.xlsx", folder / "beside"
    rows = write_report(connection, report.request, plan, folder, paths, made_at=made_at)
    companion = WRITERS[report.request.kind].companion_ending
    names = [report.request.file_name]
    if companion:
        names.append(report.request.file_name.removesuffix(".xlsx") + companion)
    stored = zip(names, paths, strict=False)
    return Made(rows, [_store(store, report.id, name, path) for name, path in stored])


def write_report(
    connection: Connection,
    request: ReportRequest,
    plan: Plan,
    folder: Path,
    paths: tuple[Path, Path],
    *,
    made_at: dt.datetime,
    register: AreaRegister | None = None,
    rows_a_sheet: int = ROWS_A_SHEET,
) -> int:
    """Writes the workbook to the first path and its companion file to the second.

    Returns the number of rows, charges or episodes, that the report shows.
    """
    context = read_context(
        connection,
        request,
        plan.runs,
        Collated(folder, len(plan.parts)),
        made_at=made_at,
        register=register or register_in_use(connection),
        hide_below=settings().hide_below if request.side == "commissioner" else 0,
    )
    writer = WRITERS[request.kind]
    with Workbook(paths[0], rows_a_sheet=rows_a_sheet) as workbook:
        workbook.describe(request.about.title, f"{request.organisation_name}, {request.period}")
        rows = writer.write(workbook, context)
    if writer.companion is not None:
        writer.companion(context, paths[1])
    return rows


def _store(store: FileStore, report_id: int, name: str, path: Path) -> MadeFile:
    key = f"reports/{report_id}/{name}"
    with path.open("rb") as file:
        return MadeFile(name, key, store.put(key, file).size)


def finish_report(connection: Connection, report: Report, plan: Plan, made: Made) -> None:
    """Marks the report as ready and raises its event; raises ``Outdated``."""
    if outdated_runs(connection, plan.run_ids):
        raise Outdated
    now = dt.datetime.now(dt.UTC)
    move(
        connection,
        tables.reports,
        REPORT_MACHINE,
        report.id,
        ReportState.READY,
        storage_key=made.files[0].storage_key,
        size=made.size,
        ready_at=now,
        expires_at=now + dt.timedelta(days=settings().report_days),
    )
    _note_files(connection, report.id, plan, made)
    raise_event(connection, event_catalogue.ReportReady(**event_names(report.id, report.request)))


def _note_files(connection: Connection, report_id: int, plan: Plan, made: Made) -> None:
    """Replaces the records of the runs and files of the report."""
    for table in (tables.report_runs, tables.report_files):
        connection.execute(table.delete().where(table.c.report_id == report_id))
    connection.execute(
        tables.report_runs.insert(),
        [{"report_id": report_id, "run_id": run_id} for run_id in plan.run_ids],
    )
    connection.execute(
        tables.report_files.insert(),
        [
            {"report_id": report_id, "position": position, **asdict(file)}
            for position, file in enumerate(made.files)
        ],
    )


def fail_report(connection: Connection, names: Mapping[str, Any], fault: Fault) -> str:
    """Ends the making of a report; returns the reference that user and operator both see.

    ``names`` is the payload that every event of the report carries.
    """
    report_id: int = names["report_id"]
    lock_row(connection, tables.reports, report_id)
    reference = record_failure(
        connection,
        FailureKind.REPORT,
        fault,
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
    raise_event(connection, event_catalogue.ReportFailed(reason=reference, **names))
    return reference
