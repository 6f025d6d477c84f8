"""What providers do with files: upload, correct, undo a correction, remove.

Each is one transaction that changes the state, writes an audit row and raises its event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import require
from core.database import tables
from core.engine.dataset.corrections import Correction, is_right_everywhere
from core.events.outbox import raise_event
from core.submissions.commands.quotas import require_room
from core.submissions.commands.unpublish_run import unpublish_run
from core.submissions.event_names import names_of_submission
from core.submissions.months import SubmissionRow, get_submission, lock_submission
from core.submissions.transitions import move
from core.submissions.versions import specification_for
from core.user_errors import UserError
from core.vocabulary import event_catalogue
from core.vocabulary.heading_look import Look
from core.vocabulary.permissions import Action
from core.vocabulary.states.submissions import (
    FILE_MACHINE,
    SUBMISSION_MACHINE,
    SUBMISSION_TEXTS,
    FileState,
    SubmissionState,
)

CHANGEABLE = (SubmissionState.OPEN, SubmissionState.DRAFT, SubmissionState.FAILED)
"""The states of a submission in which its files may change."""

READ_AGAIN = "files are read more exactly now"
NEW_VERSION = "another version of the data set is in force for the month"

_CHECKED = (FileState.IN_ERROR, FileState.READY)
_READ_OR_REFUSED = (*_CHECKED, FileState.REJECTED, FileState.UNCONFIRMED)


@dataclass(frozen=True)
class Upload:
    """A file that has arrived in the store."""

    name: str
    storage_key: str
    size: int
    sha256: str
    transpose: bool = False
    look: Look = Look.NEVER
    sheet: str | None = None


class SubmissionLocked(UserError):
    """Files cannot change now."""

    def __init__(self, submission: SubmissionRow) -> None:
        text = SUBMISSION_TEXTS[SubmissionState(submission.state)]
        super().__init__(f"The files of {submission.month_text} cannot be changed now. {text}")


def refuse_if_locked(submission: SubmissionRow) -> None:
    """Raises ``SubmissionLocked`` unless files may be added, corrected and removed."""
    if submission.state not in CHANGEABLE:
        raise SubmissionLocked(submission)


def receive_file(
    connection: Connection, submission_id: int, upload: Upload, *, user_id: int | None
) -> int:
    """Adds an uploaded file to a submission and requests its check; returns the file's id.

    Raises ``UserError`` where no version of the data set is in force for the month.
    """
    _require(connection, submission_id, Action.UPLOAD, user_id)
    submission = _reopen(connection, submission_id, user_id)
    specification_for(connection, submission)
    if user_id is not None:  # whoever runs the service takes in what they like
        require_room(connection, submission_id, upload.size)
    position = sa.select(sa.func.coalesce(sa.func.max(tables.files.c.position), 0) + 1).where(
        tables.files.c.submission_id == submission_id
    )
    statement = (
        tables.files.insert()
        .values(
            submission_id=submission_id,
            position=position.scalar_subquery(),
            name=upload.name,
            storage_key=upload.storage_key,
            size=upload.size,
            sha256=upload.sha256,
            transpose=upload.transpose,
            look=upload.look,
            sheet=upload.sheet,
            state=FileState.RECEIVED,
            uploaded_by=user_id,
        )
        .returning(tables.files.c.id)
    )
    file_id = int(connection.execute(statement).scalar_one())
    event = event_catalogue.FileReceived(
        file_id=file_id, file=upload.name, **names_of_submission(submission)
    )
    raise_event(connection, event, user_id=user_id)
    return file_id


def correct(
    connection: Connection, file_id: int, corrections: list[Correction], *, user_id: int | None
) -> None:
    """Stores corrections and requests a check of the file with them."""
    if not corrections:
        raise UserError("There is no correction to make.")
    row = _file(connection, file_id)
    _require(connection, row.submission_id, Action.CORRECT, user_id)
    submission = _reopen(connection, row.submission_id, user_id)
    _refuse_wrong_places(connection, submission, corrections)
    connection.execute(
        tables.corrections.insert(),
        [
            {
                "file_id": file_id,
                "field": correction.field,
                "wrong": correction.wrong,
                "value": correction.value,
                "row": correction.row,
                "made_by": user_id,
            }
            for correction in corrections
        ],
    )
    event = event_catalogue.FileCorrected(
        corrections=len(corrections),
        file_id=file_id,
        file=row.name,
        **names_of_submission(submission),
    )
    _check_again(connection, event, user_id=user_id)


def _refuse_wrong_places(
    connection: Connection, submission: SubmissionRow, corrections: list[Correction]
) -> None:
    """Refuses fields that there are not, and one value for rows that each have their own."""
    columns = specification_for(connection, submission).columns
    unknown = sorted({each.field for each in corrections} - columns.keys())
    if unknown:
        raise UserError(f"The data set has no field {', '.join(unknown)}.")
    own = {
        each.field
        for each in corrections
        if each.row is None
        and each.value is not None
        and not is_right_everywhere(columns[each.field], each.wrong)
    }
    if own:
        raise UserError(
            f"Each row has its own value in {', '.join(sorted(own))}: say which row is put right."
        )


def undo_correction(connection: Connection, correction_id: int, *, user_id: int | None) -> None:
    """Undoes a correction; the file is checked again without it."""
    statement = (
        tables.corrections.update()
        .where(tables.corrections.c.id == correction_id, tables.corrections.c.undone_at.is_(None))
        .values(undone_at=sa.func.now())
        .returning(tables.corrections.c.file_id)
    )
    file_id = connection.execute(statement).scalar()
    if file_id is None:
        raise UserError("That correction has been taken back already.")
    row = _file(connection, file_id)
    _require(connection, row.submission_id, Action.CORRECT, user_id)
    submission = _reopen(connection, row.submission_id, user_id)
    event = event_catalogue.FileCorrected(
        file_id=file_id, file=row.name, **names_of_submission(submission)
    )
    _check_again(connection, event, user_id=user_id)


def recheck_file(
    connection: Connection,
    file_id: int,
    *,
    user_id: int | None,
    transpose: bool | None = None,
    look: Look | None = None,
    heading_row: int | None = None,
    sheet: str | None = None,
) -> int:
    """Requests a new check of a file, even a rejected one; returns the id of its submission.

    ``transpose``: it holds one activity code a row; ``look``: whether a person confirms its
    headings first; ``heading_row``: the row they stand in; ``sheet``: the one of its visible sheets
    that is read; None: unchanged.
    """
    row = _file(connection, file_id)
    _require(connection, row.submission_id, Action.UPLOAD, user_id)
    if sheet is not None and sheet not in (row.sheets or []):
        raise UserError(f"{row.name} has no visible sheet “{sheet}”.")
    submission = _reopen(connection, row.submission_id, user_id)
    options = {"transpose": transpose, "look": look, "heading_row": heading_row, "sheet": sheet}
    changed = {name: value for name, value in options.items() if value is not None}
    if changed:
        files = tables.files
        connection.execute(files.update().where(files.c.id == file_id).values(changed))
    event = event_catalogue.FileCorrected(
        file_id=file_id, file=row.name, **names_of_submission(submission)
    )
    _check_again(connection, event, user_id=user_id, states=_READ_OR_REFUSED)
    return int(row.submission_id)


def read_again(connection: Connection, file_id: int, *, reason: str) -> None:
    """Has a file checked again since files are judged otherwise now, which nobody has asked for."""
    row = _file(connection, file_id)
    submission = _reopen(connection, row.submission_id, None, reason=reason)
    event = event_catalogue.FileOutdated(
        file_id=file_id, file=row.name, because=reason, **names_of_submission(submission)
    )
    _check_again(connection, event, user_id=None, reason=reason, states=_READ_OR_REFUSED)


def remove_file(connection: Connection, file_id: int, *, user_id: int | None) -> None:
    """Removes a file from its submission; its records no longer count."""
    row = _file(connection, file_id)
    _require(connection, row.submission_id, Action.UPLOAD, user_id)
    submission = _reopen(connection, row.submission_id, user_id)
    move(connection, tables.files, FILE_MACHINE, file_id, FileState.REMOVED, user_id=user_id)
    event = event_catalogue.FileRemoved(
        file_id=file_id, file=row.name, **names_of_submission(submission)
    )
    raise_event(connection, event, user_id=user_id)


def _check_again(
    connection: Connection,
    event: event_catalogue.FileCorrected | event_catalogue.FileOutdated,
    *,
    user_id: int | None,
    states: tuple[FileState, ...] = _CHECKED,
    reason: str = "",
) -> None:
    """Asks for a new check of the event's file."""
    state = _file(connection, event.file_id).state
    if state not in states:
        raise UserError(f"{event.file} is {state}; corrections are made once it has been checked.")
    move(
        connection,
        tables.files,
        FILE_MACHINE,
        event.file_id,
        FileState.CHECKING,
        user_id=user_id,
        reason=reason,
        check_number=tables.files.c.check_number + 1,
    )
    raise_event(connection, event, user_id=user_id)


def _file(connection: Connection, file_id: int) -> sa.Row[Any]:
    query = sa.select(tables.files).where(tables.files.c.id == file_id)
    row = connection.execute(query).first()
    if row is None:
        raise UserError(f"There is no file {file_id}.")
    return row


def _require(
    connection: Connection, submission_id: int, action: Action, user_id: int | None
) -> None:
    provider_id = get_submission(connection, submission_id).provider_id
    require(connection, user_id, action, provider_id)


def _reopen(
    connection: Connection,
    submission_id: int,
    user_id: int | None,
    *,
    reason: str = "files changed",
) -> SubmissionRow:
    """Ensures that files may change: a draft becomes open again and its run is unpublished."""
    lock_submission(connection, submission_id)
    submission = get_submission(connection, submission_id)
    refuse_if_locked(submission)
    if submission.state == SubmissionState.OPEN:
        return submission
    move(
        connection,
        tables.submissions,
        SUBMISSION_MACHINE,
        submission_id,
        SubmissionState.OPEN,
        user_id=user_id,
        reason=reason,
        run_id=None,
        failure=None,
    )
    unpublish_run(connection, submission_id, reason=reason, user_id=user_id)
    return submission
