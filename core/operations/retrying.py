"""Retries failures of the error queue, each kind in its own way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Table

from core.access.scope import scope_of
from core.areas.accepting import retry_area
from core.areas.crawls import resume
from core.areas.sources import find_source
from core.database import tables
from core.database.moving import lock_row
from core.events.failed_deliveries import deliver_again, lock_event
from core.events.failures import Failure, mark_retried, refuse_unless_waiting, show_failure
from core.kpis.failing import lock_measured_run, retry_measuring, retry_trial
from core.migration import runs as migrations
from core.notifications.sending import lock_delivery, send_again
from core.reports.requests import request_again
from core.settings import settings
from core.submissions.commands.resuming import resume_check, resume_run
from core.user_errors import UserError
from core.vocabulary.failure_kinds import FailureKind


@dataclass(frozen=True)
class Retry:
    """How one kind of failure is retried."""

    lock: Callable[[Connection, Failure], object]  # locks the subject, always before the failure
    again: Callable[[Connection, Failure, int | None, str], None]  # with user and reason


def retry(
    connection: Connection, reference: str, *, user_id: int | None = None, note: str = ""
) -> Failure:
    """Retries a failure in the caller's transaction; of two simultaneous retries one wins.

    Returns the failure in its former state. ``note`` goes into the audit beside the reference.
    Raises ``UserError`` where it no longer waits, or its subject has changed since.
    """
    scope = scope_of(connection, user_id)
    failure = show_failure(connection, scope, reference)
    kind = RETRIES.get(failure.kind)
    if kind is None:
        raise UserError(f"{failure.reference} cannot be tried again from here; set it aside.")
    kind.lock(connection, failure)
    failure = show_failure(connection, scope, reference)
    refuse_unless_waiting(failure)
    reason = " ".join(filter(None, (f"tried again, reference {failure.reference}", note)))
    kind.again(connection, failure, user_id, reason)
    return failure


def _lock_in(table: Table, name: str) -> Callable[[Connection, Failure], object]:
    return lambda connection, failure: lock_row(connection, table, failure.payload[name])


def _run_again(connection: Connection, failure: Failure, user_id: int | None, reason: str) -> None:
    resume_run(connection, failure.payload["run_id"], user_id=user_id, reason=reason)


def _check_again(
    connection: Connection, failure: Failure, user_id: int | None, reason: str
) -> None:
    resume_check(connection, failure.payload["file_id"], user_id=user_id, reason=reason)


def _report_again(
    connection: Connection, failure: Failure, user_id: int | None, reason: str
) -> None:
    request_again(connection, failure.payload["report_id"], user_id=user_id, reason=reason)


def _crawl_again(
    connection: Connection, failure: Failure, user_id: int | None, reason: str
) -> None:
    resume(connection, failure.payload["run_id"], user_id=user_id, reason=reason)


def _area_again(connection: Connection, failure: Failure, user_id: int | None, reason: str) -> None:
    source = find_source(settings().area_source, settings().area_sources)
    retry_area(connection, failure, source, user_id, reason)


def _migration_again(
    connection: Connection, failure: Failure, user_id: int | None, reason: str
) -> None:
    migrations.resume(connection, failure.payload["run_id"], user_id=user_id, reason=reason)


def _row_again(connection: Connection, failure: Failure, user_id: int | None, reason: str) -> None:
    """Requests a migration of the row's table: every migration reads faulty rows again."""
    mark_retried(connection, failure.work, why=reason, user_id=user_id)
    migrations.request_unless_under_way(
        connection, only_table=failure.payload["table"], user_id=user_id
    )


def _lock_event(connection: Connection, failure: Failure) -> None:
    lock_event(connection, failure.payload["event_id"])


RETRIES: dict[str, Retry] = {
    FailureKind.FILE_CHECK: Retry(_lock_in(tables.files, "file_id"), _check_again),
    FailureKind.RUN: Retry(_lock_in(tables.submissions, "submission_id"), _run_again),
    FailureKind.REPORT: Retry(_lock_in(tables.reports, "report_id"), _report_again),
    FailureKind.EVENT_DELIVERY: Retry(_lock_event, deliver_again),
    FailureKind.NOTIFICATION: Retry(lock_delivery, send_again),
    FailureKind.SPIDER: Retry(_lock_in(tables.spider_runs, "run_id"), _crawl_again),
    FailureKind.AREA: Retry(_lock_in(tables.spider_runs, "run_id"), _area_again),
    FailureKind.MIGRATION: Retry(_lock_in(tables.migration_runs, "run_id"), _migration_again),
    FailureKind.LEGACY_ROW: Retry(migrations.lock_migrations, _row_again),
    FailureKind.MEASURING: Retry(lock_measured_run, retry_measuring),
    FailureKind.TRIAL: Retry(lock_measured_run, retry_trial),
}
"""Every kind that can be tried again."""
