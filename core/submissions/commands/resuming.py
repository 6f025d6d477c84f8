"""Resumes failed runs and checks where they stopped."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.configurations.import_lock import IMPORT_LOCK
from core.database import tables
from core.database.locks import share_until_end
from core.events.outbox import raise_event
from core.submissions.event_names import names_of_file, names_of_submission
from core.submissions.months import get_submission, lock_submission
from core.submissions.transitions import move
from core.submissions.versions import configuration_in_force, version_for
from core.user_errors import UserError
from core.vocabulary import event_catalogue
from core.vocabulary.states.submissions import (
    FILE_MACHINE,
    RUN_MACHINE,
    SUBMISSION_MACHINE,
    FileState,
    RunState,
    SubmissionState,
)


def resume_run(connection: Connection, run_id: int, *, user_id: int | None, reason: str) -> None:
    """Queues a failed run again: the same run, with its finished chunks.

    Its files cannot have changed, because a change of files leaves the failed state.
    Raises ``TransitionRefused``, and ``UserError`` where other rules hold for the month by now.
    """
    runs = tables.runs
    run = connection.execute(sa.select(runs).where(runs.c.id == run_id)).one()
    share_until_end(connection, IMPORT_LOCK)
    lock_submission(connection, run.submission_id)
    _refuse_other_rules(connection, run)
    move(
        connection,
        tables.submissions,
        SUBMISSION_MACHINE,
        run.submission_id,
        SubmissionState.QUEUED,
        user_id=user_id,
        reason=reason,
        failure=None,
    )
    move(
        connection,
        runs,
        RUN_MACHINE,
        run_id,
        RunState.RUNNING,
        user_id=user_id,
        reason=reason,
        failure=None,
        finished_at=None,
    )
    raise_event(connection, _request_event(connection, run), user_id=user_id)


def _refuse_other_rules(connection: Connection, run: sa.Row[Any]) -> None:
    submission = get_submission(connection, run.submission_id)
    rules = (version_for(connection, submission).id, configuration_in_force(connection, submission))
    if rules != (run.dataset_id, run.configuration_id):
        raise UserError(
            "Another version of the data set or of the tariff holds for the month by now. Ask for "
            "a new run."
        )


def _request_event(connection: Connection, run: sa.Row[Any]) -> event_catalogue.SubmissionRequested:
    submission = get_submission(connection, run.submission_id)
    return event_catalogue.SubmissionRequested(
        run_id=run.id, kind=run.kind, **names_of_submission(submission)
    )


def resume_check(connection: Connection, file_id: int, *, user_id: int | None, reason: str) -> None:
    """Requests the check of a file again; stored chunks are kept.

    Raises ``TransitionRefused``.
    """
    move(
        connection,
        tables.files,
        FILE_MACHINE,
        file_id,
        FileState.CHECKING,
        user_id=user_id,
        reason=reason,
        failure=None,
    )
    event = event_catalogue.FileRetried(**names_of_file(connection, file_id))
    raise_event(connection, event, user_id=user_id)
