"""Tries again what waits in the error queue: each kind in its own way, and only what failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Table

from core.database import tables
from core.database.moving import lock_row
from core.events.failed_deliveries import deliver_again, lock_event
from core.events.failures import (
    EVENT_DELIVERY,
    FILE_CHECK,
    REPORT,
    RUN,
    Failure,
    refuse_unless_waiting,
    show_failure,
)
from core.reports.requests import ask_again
from core.submissions.resuming import resume_check, resume_run
from core.user_errors import UserError


@dataclass(frozen=True)
class Retry:
    """How one kind of failure is tried again."""

    lock: Callable[[Connection, Failure], object]  # before the failure itself, as everywhere
    again: Callable[[Connection, Failure, int | None], None]


def retry(connection: Connection, reference: str, *, user_id: int | None = None) -> Failure:
    """Tries a failure again, in the caller's transaction: of two who press at once one wins.

    Gives the failure as it was. Raises ``UserError`` where it does not wait any more, or its
    subject has moved on.
    """
    failure = show_failure(connection, reference)
    way = RETRIES.get(failure.kind)
    if way is None:
        raise UserError(f"{failure.reference} cannot be tried again from here; set it aside.")
    way.lock(connection, failure)
    failure = show_failure(connection, reference)
    refuse_unless_waiting(failure)
    way.again(connection, failure, user_id)
    return failure


def _lock_in(table: Table, name: str) -> Callable[[Connection, Failure], object]:
    return lambda connection, failure: lock_row(connection, table, failure.payload[name])


def _reason(failure: Failure) -> str:
    return f"tried again, reference {failure.reference}"


def _run_again(connection: Connection, failure: Failure, user_id: int | None) -> None:
    run_id = failure.payload["run_id"]
    resume_run(connection, run_id, user_id=user_id, reason=_reason(failure))


def _check_again(connection: Connection, failure: Failure, user_id: int | None) -> None:
    file_id = failure.payload["file_id"]
    resume_check(connection, file_id, user_id=user_id, reason=_reason(failure))


def _report_again(connection: Connection, failure: Failure, user_id: int | None) -> None:
    report_id = failure.payload["report_id"]
    ask_again(connection, report_id, user_id=user_id, reason=_reason(failure))


def _lock_event(connection: Connection, failure: Failure) -> None:
    lock_event(connection, failure.payload["event_id"])


RETRIES: dict[str, Retry] = {
    FILE_CHECK: Retry(_lock_in(tables.files, "file_id"), _check_again),
    RUN: Retry(_lock_in(tables.submissions, "submission_id"), _run_again),
    REPORT: Retry(_lock_in(tables.reports, "report_id"), _report_again),
    EVENT_DELIVERY: Retry(_lock_event, deliver_again),
}
"""Every kind that can be tried again."""
