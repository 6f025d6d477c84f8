"""Requests for runs of a submission, and the obstacles to a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import require
from core.configurations.import_lock import IMPORT_LOCK
from core.database import tables
from core.database.locks import share_until_end
from core.events.outbox import raise_event
from core.settings import settings
from core.submissions.clinics_to_place import clinics_to_place
from core.submissions.commands.rereading import OUTDATED
from core.submissions.event_names import names_of_submission
from core.submissions.month_doubts import MonthDoubts, doubts_of, keep_reason
from core.submissions.months import SubmissionRow, get_submission, lock_submission
from core.submissions.transitions import move
from core.submissions.versions import configuration_in_force, has_version, version_for
from core.user_errors import UserError
from core.vocabulary import event_catalogue
from core.vocabulary.permissions import Action
from core.vocabulary.states.submissions import (
    SUBMISSION_MACHINE,
    SUBMISSION_TEXTS,
    FileState,
    SubmissionState,
)

RunKind = Literal["draft", "final"]

ACTIONS: dict[RunKind, Action] = {"draft": Action.DRAFT, "final": Action.SUBMIT}
RUNNABLE = (SubmissionState.OPEN, SubmissionState.DRAFT, SubmissionState.FAILED)
"""The states of a submission in which a run may be requested."""


@dataclass(frozen=True)
class Obstacle:
    """One obstacle to a run: its code and its subject."""

    code: str
    subject: str

    @property
    def text(self) -> str:
        return OBSTACLES[self.code][1].format(subject=self.subject)

    @property
    def about(self) -> About:
        """What has to be put right."""
        return OBSTACLES[self.code][0]


About = Literal["files", "clinics", "tariff", "month"]
"""What has to be put right."""

OBSTACLES: dict[str, tuple[About, str]] = {
    "no-files": ("files", "There is no file yet. Upload the month's files."),
    "file-not-checked": ("files", "{subject} is still being checked."),
    "file-unconfirmed": (
        "files",
        "{subject} waits until its headings are confirmed. Look at them.",
    ),
    "file-outdated": (
        "files",
        "{subject} was read by an earlier version; it is checked again by itself.",
    ),
    "file-in-error": ("files", "{subject} has errors. Correct them."),
    "file-rejected": ("files", "{subject} could not be read. Remove it, and upload a mended file."),
    "clinic-to-be-placed": ("clinics", "Clinic {subject} is new. Say which authority hosts it."),
    "no-version": ("tariff", "No version of the data set is in force for {subject}."),
    "month-doubtful": ("month", "{subject} Say why the month is right, or mend its files."),
    "no-configuration": ("tariff", "No tariff configuration is in force for {subject}."),
}
"""What each obstacle is about, and its sentence."""

_FILE_OBSTACLES = {
    FileState.RECEIVED: "file-not-checked",
    FileState.CHECKING: "file-not-checked",
    FileState.UNCONFIRMED: "file-unconfirmed",
    FileState.IN_ERROR: "file-in-error",
    FileState.REJECTED: "file-rejected",
}


class NotReady(UserError):
    """The submission cannot run yet; carries every obstacle."""

    def __init__(self, obstacles: list[Obstacle]) -> None:
        self.obstacles = obstacles
        super().__init__(" ".join(obstacle.text for obstacle in obstacles))


class NotRunnable(UserError):
    """The submission runs already, or is submitted."""

    def __init__(self, submission: SubmissionRow) -> None:
        text = SUBMISSION_TEXTS[SubmissionState(submission.state)]
        super().__init__(f"{submission.month_text} cannot be run now. {text}")


def obstacles(connection: Connection, submission: SubmissionRow) -> list[Obstacle]:
    """The obstacles to a run of the submission; empty when it is ready."""
    problems = _file_obstacles(connection, submission) + _clinic_obstacles(connection, submission)
    subject = f"{submission.provider_name} in {submission.month_text}"
    if not has_version(connection, submission):
        problems.append(Obstacle("no-version", subject))
    if configuration_in_force(connection, submission) is None:
        problems.append(Obstacle("no-configuration", subject))
    return problems


def _file_obstacles(connection: Connection, submission: SubmissionRow) -> list[Obstacle]:
    files, months = tables.files, tables.submissions
    query = (
        sa.select(files.c.name, files.c.state, OUTDATED.label("outdated"))
        .join(months, months.c.id == files.c.submission_id)
        .where(files.c.submission_id == submission.id, files.c.state != FileState.REMOVED)
        .order_by(files.c.position)
    )
    rows = connection.execute(query).all()
    if not rows:
        return [Obstacle("no-files", "")]
    return [
        Obstacle("file-outdated" if outdated else _FILE_OBSTACLES[FileState(state)], name)
        for name, state, outdated in rows
        if outdated or state in _FILE_OBSTACLES
    ]


def _clinic_obstacles(connection: Connection, submission: SubmissionRow) -> list[Obstacle]:
    return [
        Obstacle("clinic-to-be-placed", clinic)
        for clinic in clinics_to_place(connection, submission)
    ]


def request_run(
    connection: Connection,
    submission_id: int,
    kind: RunKind,
    *,
    user_id: int | None,
    reason: str | None = None,
) -> int:
    """Queues a run and returns its id; raises ``NotRunnable`` or ``NotReady``.

    ``reason``: why a month with doubts is final all the same; it is kept with the run.
    The row of the submission is locked: of two simultaneous requests one is refused. An import of
    a data set or a tariff waits, and finds the month at work.
    """
    runs = tables.runs
    share_until_end(connection, IMPORT_LOCK)
    lock_submission(connection, submission_id)
    submission = get_submission(connection, submission_id)
    require(connection, user_id, ACTIONS[kind], submission.provider_id)
    if submission.state not in RUNNABLE:
        raise NotRunnable(submission)
    standing = obstacles(connection, submission)
    doubts = _doubts_to_answer(connection, submission, kind)
    why = (reason or "").strip()
    if doubts is not None and not why:
        standing.append(Obstacle("month-doubtful", " ".join(doubts.texts)))
    if standing:
        raise NotReady(standing)
    move(
        connection,
        tables.submissions,
        SUBMISSION_MACHINE,
        submission_id,
        SubmissionState.QUEUED,
        user_id=user_id,
        reason=f"{kind} run asked for",
        failure=None,
    )
    number = sa.select(sa.func.coalesce(sa.func.max(runs.c.number), 0) + 1).where(
        runs.c.submission_id == submission_id
    )
    statement = (
        runs.insert()
        .values(
            submission_id=submission_id,
            number=number.scalar_subquery(),
            kind=kind,
            configuration_id=configuration_in_force(connection, submission),
            dataset_id=version_for(connection, submission).id,
            state="running",
            requested_by=user_id,
        )
        .returning(runs.c.id)
    )
    run_id = int(connection.execute(statement).scalar_one())
    if doubts is not None:
        keep_reason(connection, run_id, doubts, why, user_id=user_id)
    event = event_catalogue.SubmissionRequested(
        run_id=run_id, kind=kind, **names_of_submission(submission)
    )
    raise_event(connection, event, user_id=user_id)
    return run_id


def _doubts_to_answer(
    connection: Connection, submission: SubmissionRow, kind: RunKind
) -> MonthDoubts | None:
    """What a reason has to answer before the month is final; a draft charges nobody."""
    if kind != "final":
        return None
    doubts = doubts_of(connection, submission)
    return doubts if doubts.ask_for_a_reason(settings().outside_share) else None
