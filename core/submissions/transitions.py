"""Moves a file, submission, run or report to another state, together with its failure."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table

from core.database.moving import TransitionRefused, change_state
from core.events.failures import mark_resolved, mark_retried
from core.vocabulary.process import Machine

__all__ = ["TransitionRefused", "move"]


def move(
    connection: Connection,
    table: Table,
    machine: Machine,
    subject_id: int,
    target: str,
    *,
    user_id: int | None = None,
    reason: str = "",
    **values: Any,
) -> str:
    """Moves one row to ``target`` and returns the state it left; ``values`` are set with it.

    The open failure of the subject becomes retried when the subject leaves a stopped state,
    and resolved when it reaches a settled one. Raises ``TransitionRefused``.
    """
    left = change_state(
        connection,
        table,
        machine,
        subject_id,
        target,
        user_id=user_id,
        reason=reason,
        **values,
    )
    subject = f"{machine.name}/{subject_id}"
    if target in machine.settled:
        mark_resolved(connection, subject, why=f"{subject} is {target}", user_id=user_id)
    elif left in machine.stopped:
        mark_retried(connection, subject, why=f"{subject} is {target}", user_id=user_id)
    return left
