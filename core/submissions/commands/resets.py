"""Resets of submitted months: a host commissioner asks, an administrator grants or refuses.

Each step is one transaction that moves the submission, writes an audit row and raises its event.
The published run of a granted month is unpublished; its charges stay as a record.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import require
from core.database import tables
from core.events.outbox import raise_event
from core.submissions.commands.unpublish_run import unpublish_run
from core.submissions.months import SubmissionRow, get_submission, lock_submission
from core.submissions.reset_requests import Reset, get_reset
from core.submissions.reset_rights import hosts_of
from core.submissions.transitions import move
from core.user_errors import UserError
from core.vocabulary import event_catalogue
from core.vocabulary.permissions import Action
from core.vocabulary.states.submissions import SUBMISSION_MACHINE, SUBMISSION_TEXTS, SubmissionState

LONGEST_REASON = 1000


class NotSubmitted(UserError):
    """Only a submitted month can be opened again."""

    def __init__(self, submission: SubmissionRow) -> None:
        text = SUBMISSION_TEXTS[SubmissionState(submission.state)]
        super().__init__(
            f"{submission.month_text} of {submission.provider_name} is not submitted. {text}"
        )


def ask_for_reset(
    connection: Connection, submission_id: int, *, host: str, reason: str, user_id: int | None
) -> int:
    """Asks for a submitted month to be opened again; returns the number of the request.

    ``host`` is the code of the commissioner that asks; it must host a clinic with charges in the
    month. Raises ``UserError``.
    """
    reason = _required_text(reason, "why the month should be opened again")
    lock_submission(connection, submission_id)
    submission = get_submission(connection, submission_id)
    if submission.state != SubmissionState.SUBMITTED:
        raise NotSubmitted(submission)
    hosts = hosts_of(connection, submission)
    if host not in hosts:
        raise UserError(
            f"{host} hosts no clinic of {submission.provider_name} with charges in "
            f"{submission.month_text}; only a host may ask."
        )
    require(connection, user_id, Action.ASK_FOR_RESET, hosts[host])
    values = {"run_id": submission.run_id, "host_id": hosts[host], "asked_by": user_id}
    statement = tables.resets.insert().values(submission_id=submission_id, reason=reason, **values)
    number = connection.execute(statement.returning(tables.resets.c.id)).scalar_one()
    _move(connection, submission_id, SubmissionState.RESET_ASKED, user_id, reason)
    request = get_reset(connection, number)
    event = event_catalogue.SubmissionResetAsked(**_about(request))
    raise_event(connection, event, user_id=user_id)
    return int(number)


def grant_reset(
    connection: Connection, number: int, *, answer: str = "", user_id: int | None, by: str = ""
) -> Reset:
    """Opens the month again: its charges are no longer published. Raises ``UserError``.

    ``by`` names the person for the audit where there is no user.
    """
    require(connection, user_id, Action.GRANT_RESET)
    request = _undecided(connection, number)
    why = _why(f"request {number} granted", answer, by)
    move(
        connection,
        tables.submissions,
        SUBMISSION_MACHINE,
        request.submission_id,
        SubmissionState.OPEN,
        user_id=user_id,
        reason=why,
        run_id=None,
    )
    unpublish_run(connection, request.submission_id, reason=why, user_id=user_id)
    _decide(connection, number, granted=True, answer=answer, user_id=user_id)
    event = event_catalogue.SubmissionResetGranted(answer=answer.strip(), **_about(request))
    raise_event(connection, event, user_id=user_id)
    return request


def refuse_reset(
    connection: Connection, number: int, *, answer: str, user_id: int | None, by: str = ""
) -> Reset:
    """Refuses a request: the month stays submitted. Raises ``UserError``."""
    answer = _required_text(answer, "why the month stays as it is")
    require(connection, user_id, Action.GRANT_RESET)
    request = _undecided(connection, number)
    why = _why(f"request {number} refused", answer, by)
    _move(connection, request.submission_id, SubmissionState.SUBMITTED, user_id, why)
    _decide(connection, number, granted=False, answer=answer, user_id=user_id)
    event = event_catalogue.SubmissionResetRefused(answer=answer, **_about(request))
    raise_event(connection, event, user_id=user_id)
    return request


def _required_text(text: str, what: str) -> str:
    text = text.strip()
    if not text:
        raise UserError(f"Say {what}.")
    if len(text) > LONGEST_REASON:
        raise UserError(f"Say {what} in at most {LONGEST_REASON:,} characters.")
    return text


def _why(decision: str, answer: str, by: str) -> str:
    return ", ".join(part for part in (decision, by, answer.strip()) if part)


def _undecided(connection: Connection, number: int) -> Reset:
    """The request, with its submission locked; of two simultaneous decisions one is refused."""
    lock_submission(connection, get_reset(connection, number).submission_id)
    request = get_reset(connection, number)
    if request.granted is not None:
        raise UserError(f"Request {number} is {request.decision} already.")
    return request


def _move(
    connection: Connection, submission_id: int, target: str, user_id: int | None, why: str
) -> None:
    move(
        connection,
        tables.submissions,
        SUBMISSION_MACHINE,
        submission_id,
        target,
        user_id=user_id,
        reason=why,
    )


def _decide(
    connection: Connection, number: int, *, granted: bool, answer: str, user_id: int | None
) -> None:
    resets = tables.resets
    values = {"granted": granted, "answer": answer.strip() or None, "decided_by": user_id}
    decided = resets.update().where(resets.c.id == number)
    connection.execute(decided.values(decided_at=sa.func.now(), **values))


def _about(request: Reset) -> dict[str, Any]:
    """The ids and names that every event of a request carries."""
    return {
        "submission_id": request.submission_id,
        "run_id": request.run_id,
        "provider": request.provider,
        "month": f"{request.month:%Y-%m}",
        "reset_id": request.id,
        "host": request.host,
        "host_name": request.host_name,
        "reason": request.reason,
        **({"dataset": request.dataset, "service": request.service} if request.service else {}),
    }
