"""The error queue: what failed after its retries, until an operator retries or discards it.

A failure is written in the transaction that marks its subject as failed. While it is open, a
further failure of the same work is counted on the same row, under the same reference.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope, scope_of
from core.database import tables
from core.database.moving import change_state
from core.events.outbox import raise_event
from core.support.faults import Fault
from core.user_errors import UserError
from core.vocabulary.event_catalogue import RunFailed
from core.vocabulary.permissions import Action
from core.vocabulary.states.events import FAILURE_MACHINE, FailureState

OPEN = (FailureState.WAITING, FailureState.RETRIED)


@dataclass(frozen=True)
class Failure:
    """A row of the error queue."""

    id: int
    reference: str
    kind: str
    work: str
    subject: str
    title: str
    reason: str
    detail: str | None
    payload: dict[str, Any]
    attempts: int
    first_at: dt.datetime
    last_at: dt.datetime
    state: FailureState
    resolved_by: int | None
    resolved_at: dt.datetime | None
    flow_run: UUID | None


def record_failure(
    connection: Connection,
    kind: str,
    fault: Fault,
    *,
    subject: str,
    title: str,
    payload: Mapping[str, Any],
    work: str | None = None,
    tell: bool = True,
) -> str:
    """Puts work into the error queue; returns the reference, which its user sees too.

    ``work`` names what failed where one subject has several kinds of work. ``payload`` is what a
    retry needs. Raises the event ``run.failed`` unless ``tell`` is False: a failure to deliver that
    event must not raise it again.
    """
    work = work or subject
    values = {
        "reason": fault.reason,
        "detail": fault.detail,
        "payload": dict(payload),
        "flow_run": fault.flow_run,
    }
    standing = _open_failure(connection, work)
    if standing is None:
        reference, attempts = secrets.token_hex(4).upper(), fault.attempts
        fixed = {"kind": kind, "work": work, "subject": subject, "title": title}
        connection.execute(
            tables.failures.insert().values(
                reference=reference, attempts=attempts, **fixed, **values
            )
        )
    else:
        reference, attempts = standing.reference, standing.attempts + fault.attempts
        _change(connection, standing.id, FailureState.WAITING, fault.reason, None)
        again = {"attempts": attempts, "last_at": sa.func.now(), **values}
        this = tables.failures.c.id == standing.id
        connection.execute(tables.failures.update().where(this).values(again))
    if tell:
        failed = RunFailed(
            failed_subject=subject,
            failed_title=title,
            attempts=attempts,
            flow_run=fault.flow_run,
            reason=f"{fault.reason}, reference {reference}",
        )
        raise_event(connection, failed)
    return reference


def mark_retried(
    connection: Connection, work: str, *, why: str, user_id: int | None = None
) -> None:
    """Moves the open failure of work to retried."""
    standing = _open_failure(connection, work)
    if standing is not None and standing.state == FailureState.WAITING:
        _change(connection, standing.id, FailureState.RETRIED, why, user_id)


def mark_resolved(
    connection: Connection, work: str, *, why: str, user_id: int | None = None
) -> None:
    """Moves the open failure of work to resolved: it is done, or no longer needed."""
    standing = _open_failure(connection, work)
    if standing is not None:
        _end(connection, standing.id, FailureState.RESOLVED, why, user_id)


def discard(
    connection: Connection, reference: str, *, user_id: int | None = None, reason: str = ""
) -> Failure:
    """Discards a failure; its subject is unchanged. Raises ``UserError``."""
    failure = show_failure(connection, scope_of(connection, user_id), reference)
    refuse_unless_waiting(failure)
    _end(connection, failure.id, FailureState.DISCARDED, reason or "set aside", user_id)
    return failure


def refuse_unless_waiting(failure: Failure) -> None:
    """Raises ``UserError`` unless the failure waits for an operator."""
    if failure.state != FailureState.WAITING:
        raise UserError(f"{failure.reference} does not wait any more. {failure.state.text}")


def list_failures(
    connection: Connection, scope: Scope, states: tuple[str, ...] = OPEN, *, limit: int = 200
) -> list[Failure]:
    """The failures in these states, the latest first; for operators."""
    scope.require(Action.OPERATE)
    failures = tables.failures
    query = (
        sa.select(failures)
        .where(failures.c.state.in_(states))
        .order_by(failures.c.last_at.desc(), failures.c.id.desc())
        .limit(limit)
    )
    return [_failure(row) for row in connection.execute(query)]


def show_failure(connection: Connection, scope: Scope, reference: str) -> Failure:
    """The failure of a reference, for operators; raises ``UserError`` where there is none."""
    scope.require(Action.OPERATE)
    failures = tables.failures
    query = sa.select(failures).where(failures.c.reference == reference.strip().upper())
    row = connection.execute(query).first()
    if row is None:
        raise UserError(
            f"There is no failure {reference}. `grouper errors list` shows those there are."
        )
    return _failure(row)


def _open_failure(connection: Connection, work: str) -> Failure | None:
    failures = tables.failures
    query = (
        sa.select(failures)
        .where(failures.c.work == work, failures.c.state.in_(OPEN))
        .with_for_update()
    )
    row = connection.execute(query).first()
    return None if row is None else _failure(row)


def _failure(row: sa.Row[Any]) -> Failure:
    return Failure(**{**row._mapping, "state": FailureState(row.state)})


def _end(
    connection: Connection, failure_id: int, state: FailureState, why: str, user_id: int | None
) -> None:
    ended = {"resolved_by": user_id, "resolved_at": sa.func.now()}
    _change(connection, failure_id, state, why, user_id, **ended)


def _change(
    connection: Connection,
    failure_id: int,
    state: FailureState,
    why: str,
    user_id: int | None,
    **values: Any,
) -> None:
    change_state(
        connection,
        tables.failures,
        FAILURE_MACHINE,
        failure_id,
        state,
        user_id=user_id,
        reason=why,
        **values,
    )
