"""Says of a file, a submission or a report that it failed, to its user and to operators."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection

from core.database import tables
from core.events.catalogue import (
    Event,
    ReportFailed,
    ReportRequested,
    RunFailed,
    SubmissionFailed,
    SubmissionRequested,
)
from core.events.outbox import raise_event
from core.submissions.states import (
    FILE_MACHINE,
    REPORT_MACHINE,
    SUBMISSION_MACHINE,
    FileState,
    ReportState,
    SubmissionState,
)
from core.submissions.transitions import move

TEXTS = {
    "file": "This file could not be checked, and that is not your mistake. Remove it and upload "
    "it again, or tell support the reference {reference}.",
    "submission": "The calculation stopped. Start it again, or tell support the reference "
    "{reference}.",
    "report": "This report could not be made. Ask for it again, or tell support the reference "
    "{reference}.",
}
"""What the user reads beside the failed subject."""


def give_up(
    connection: Connection, kind: str, number: int, asked: Event, *, why: str, attempts: int
) -> None:
    """Ends the work that ``asked`` asked for, in the caller's transaction."""
    reference = secrets.token_hex(4).upper()
    text = TEXTS[kind].format(reference=reference)
    reason = f"{why}, reference {reference}"
    if isinstance(asked, SubmissionRequested):
        _fail_submission(connection, number, asked, text, reason)
    elif isinstance(asked, ReportRequested):
        _fail_report(connection, number, asked, text, reason)
    else:
        _reject(connection, number, text, reason)
    raise_event(
        connection,
        RunFailed(
            failed_subject=asked.subject,
            failed_title=asked.title,
            attempts=attempts,
            reason=reason,
        ),
    )


def _reject(connection: Connection, number: int, text: str, reason: str) -> None:
    # A file that no check was begun for passes through checking, as the declared states say.
    for state, failure in ((FileState.CHECKING, None), (FileState.REJECTED, text)):
        move(connection, tables.files, FILE_MACHINE, number, state, reason=reason, failure=failure)


def _fail_submission(
    connection: Connection, number: int, asked: SubmissionRequested, text: str, reason: str
) -> None:
    move(
        connection,
        tables.submissions,
        SUBMISSION_MACHINE,
        number,
        SubmissionState.FAILED,
        reason=reason,
        failure=text,
    )
    runs = tables.runs
    failed = {"state": "failed", "failure": reason}
    connection.execute(runs.update().where(runs.c.id == asked.run_id).values(failed))
    about = asked.model_dump(exclude={"kind"})
    raise_event(connection, SubmissionFailed(reason=reason, **about))


def _fail_report(
    connection: Connection, number: int, asked: ReportRequested, text: str, reason: str
) -> None:
    move(
        connection,
        tables.reports,
        REPORT_MACHINE,
        number,
        ReportState.FAILED,
        reason=reason,
        failure=text,
    )
    raise_event(connection, ReportFailed(reason=reason, **asked.model_dump()))
