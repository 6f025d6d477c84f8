"""Gives work up that was started often enough, to its user, to operators and to the error queue."""

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
def give_up(asked: Event, connection: Connection, fault: Fault) -> str:
    """Ends the work that ``asked`` asked for, in the caller's transaction; gives the reference.

    What an installation's own rules start has nobody who waits for it but operators.
    """
    return record_failure(
        connection,
        FailureKind.UNDONE,
        fault,
        work=f"{asked.subject}/{asked.name}",
        subject=asked.subject,
        title=f"{asked.name}, {asked.title}",
        payload=asked.model_dump(mode="json"),
    )


@give_up.register
def _(
    asked: FileReceived | FileCorrected | FileRetried, connection: Connection, fault: Fault
) -> str:
    return fail_check(connection, asked.model_dump(include=OF_FILE), fault)


@give_up.register
def _(asked: SubmissionRequested, connection: Connection, fault: Fault) -> str:
    return fail_run(connection, asked.model_dump(include=OF_RUN), fault)


@give_up.register
def _(
    asked: SubmissionDrafted | SubmissionSubmitted | KpisRequested,
    connection: Connection,
    fault: Fault,
) -> str:
    return fail_measuring(connection, asked.model_dump(include=OF_RUN), fault)


@give_up.register
def _(asked: KpiTrialRequested, connection: Connection, fault: Fault) -> str:
    return fail_trial(connection, asked, fault)


@give_up.register
def _(asked: ReportRequested, connection: Connection, fault: Fault) -> str:
    return fail_report(connection, asked.model_dump(), fault)


@give_up.register
def _(asked: SpiderRequested, connection: Connection, fault: Fault) -> str:
    return fail_crawl(connection, asked.run_id, asked.area, fault)


@give_up.register
def _(asked: MigrationRequested, connection: Connection, fault: Fault) -> str:
    return fail_migration(connection, asked.run_id, fault)
