"""Moves a file, a submission or a report from one state to another, and leaves an audit row."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table

from core.database import tables
from core.submissions.states import Machine
from core.user_errors import UserError


class TransitionRefused(UserError):
    """The state does not allow what was asked: somebody was quicker, or it is locked."""

    def __init__(self, machine: Machine, state: str, target: str) -> None:
        self.state = state
        super().__init__(f"This {machine.name} is {state}; it cannot become {target} now.")


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

    The row is locked until the caller's transaction ends, so of two who press at once one wins.
    Raises ``TransitionRefused``.
    """
    query = sa.select(table.c.state).where(table.c.id == subject_id).with_for_update()
    state: str = connection.execute(query).scalar_one()
    if target not in machine.follows[state]:
        raise TransitionRefused(machine, state, target)
    connection.execute(
        table.update().where(table.c.id == subject_id).values(state=target, **values)
    )
    connection.execute(
        tables.audit.insert().values(
            user_id=user_id,
            action=f"{machine.name} {target}",
            subject=f"{machine.name}:{subject_id}",
            from_state=state,
            to_state=target,
            reason=reason,
        )
    )
    return state
