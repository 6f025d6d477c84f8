"""Failures of file checks and runs: for the user, the operators and the error queue.

``about`` holds the ids and names that every event of the file or the run carries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.database.moving import lock_row
from core.events.failures import record_failure
from core.events.outbox import raise_event
from core.submissions.commands.file_checks import file_totals
from core.submissions.transitions import move
from core.support.faults import Fault
from core.vocabulary import event_catalogue
from core.vocabulary.failure_kinds import FailureKind
from core.vocabulary.states.submissions import (
    FILE_MACHINE,
    RUN_MACHINE,
    SUBMISSION_MACHINE,
    FileState,
    RunState,
    SubmissionState,
)

FILE_TEXT = (
    "This file could not be checked, and that is not your mistake. "
    "Remove it and upload it again, or tell support the reference {reference}."
)
RUN_TEXT = "The calculation stopped. Start it again, or tell support the reference {reference}."


def fail_check(connection: Connection, about: Mapping[str, Any], fault: Fault) -> str:
    """Ends the check of a file; returns the reference that user and operator both see."""
    file_id: int = about["file_id"]
    state = lock_row(connection, tables.files, file_id)
    checked = event_catalogue.FileChecked(
        state="rejected", **file_totals(connection, file_id), **about
    )
    reference = record_failure(
        connection,
        FailureKind.FILE_CHECK,
        fault,
        subject=checked.subject,
        title=checked.title,
        payload=about,
    )
    if (
        state == FileState.RECEIVED
    ):  # no check had begun; transitions are declared only via checking
        move(connection, tables.files, FILE_MACHINE, file_id, FileState.CHECKING, reason=reference)
    move(
        connection,
        tables.files,
        FILE_MACHINE,
        file_id,
        FileState.REJECTED,
        reason=reference,
        failure=FILE_TEXT.format(reference=reference),
    )
    raise_event(connection, checked)
    return reference


def fail_run(connection: Connection, about: Mapping[str, Any], fault: Fault) -> str:
    """Ends a run, whose finished chunks are kept; returns the reference."""
    submission_id: int = about["submission_id"]
    lock_row(connection, tables.submissions, submission_id)
    subject = f"submission/{submission_id}"
    title = f"{about['provider']} {about['month']}"
    reference = record_failure(
        connection, FailureKind.RUN, fault, subject=subject, title=title, payload=about
    )
    text = RUN_TEXT.format(reference=reference)
    move(
        connection,
        tables.submissions,
        SUBMISSION_MACHINE,
        submission_id,
        SubmissionState.FAILED,
        reason=reference,
        failure=text,
    )
    move(
        connection,
        tables.runs,
        RUN_MACHINE,
        about["run_id"],
        RunState.FAILED,
        reason=reference,
        failure=text,
        finished_at=sa.func.now(),
    )
    raise_event(connection, event_catalogue.SubmissionFailed(reason=reference, **about))
    return reference
