"""Gives up work after too many starts: notifies its user and operators, queues the failure."""

from __future__ import annotations

from functools import singledispatch

from sqlalchemy import Connection

from core.areas.crawls import fail_crawl
from core.events.failures import record_failure
from core.kpis.failing import fail_measuring, fail_trial
from core.migration.runs import fail_migration
from core.reports.making import fail_report
from core.submissions.commands.failing import fail_check, fail_run
from core.support.faults import Fault
from core.vocabulary.event_catalogue import (
    Event,
    FileCorrected,
    FileReceived,
    FileRetried,
    KpisRequested,
    KpiTrialRequested,
    MigrationRequested,
    ReportRequested,
    SpiderRequested,
    SubmissionDrafted,
    SubmissionRequested,
    SubmissionSubmitted,
)
from core.vocabulary.failure_kinds import FailureKind

OF_FILE = {"file_id", "file", "submission_id", "provider", "month"}
OF_RUN = {"run_id", "submission_id", "provider", "month"}


@singledispatch
def give_up(request: Event, connection: Connection, fault: Fault) -> str:
    """Ends the work that ``request`` asked for, in the caller's transaction; returns the reference.

    Work that an installation's own rules start concerns operators alone.
    """
    return record_failure(
        connection,
        FailureKind.UNDONE,
        fault,
        work=f"{request.subject}/{request.name}",
        subject=request.subject,
        title=f"{request.name}, {request.title}",
        payload=request.model_dump(mode="json"),
    )


@give_up.register
def _(
    request: FileReceived | FileCorrected | FileRetried, connection: Connection, fault: Fault
) -> str:
    return fail_check(connection, request.model_dump(include=OF_FILE), fault)


@give_up.register
def _(request: SubmissionRequested, connection: Connection, fault: Fault) -> str:
    return fail_run(connection, request.model_dump(include=OF_RUN), fault)


@give_up.register
def _(
    request: SubmissionDrafted | SubmissionSubmitted | KpisRequested,
    connection: Connection,
    fault: Fault,
) -> str:
    return fail_measuring(connection, request.model_dump(include=OF_RUN), fault)


@give_up.register
def _(request: KpiTrialRequested, connection: Connection, fault: Fault) -> str:
    return fail_trial(connection, request, fault)


@give_up.register
def _(request: ReportRequested, connection: Connection, fault: Fault) -> str:
    return fail_report(connection, request.model_dump(), fault)


@give_up.register
def _(request: SpiderRequested, connection: Connection, fault: Fault) -> str:
    return fail_crawl(connection, request.run_id, request.area, fault)


@give_up.register
def _(request: MigrationRequested, connection: Connection, fault: Fault) -> str:
    return fail_migration(connection, request.run_id, fault)
