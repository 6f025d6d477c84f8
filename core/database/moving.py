"""Moves a row from one state to another, and writes an audit row."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table

from core.database import tables
from core.user_errors import UserError
from core.vocabulary.process import Machine


class TransitionRefused(UserError):
    """The state does not allow the transition: another request was first, or it is locked."""

    def __init__(self, machine: Machine, state: str, target: str) -> None:
        self.state = state
        super().__init__(f"This {machine.name} is {state}; it cannot become {target} now.")


def change_state(
    connection: Connection,
    table: Table,
    machine: Machine,
    row_id: int,
    target: str,
    *,
    user_id: int | None = None,
    reason: str = "",
    **values: Any,
) -> str:
    """Moves one row to ``target`` and returns the state it left; ``values`` are set with it.

    The row is locked until the caller's transaction ends, so of two simultaneous requests one wins.
    Raises ``TransitionRefused``.
    """
    state = lock_row(connection, table, row_id)
    if target not in machine.follows[state]:
        raise TransitionRefused(machine, state, target)
    connection.execute(table.update().where(table.c.id == row_id).values(state=target, **values))
    connection.execute(
        tables.audit.insert().values(
            user_id=user_id,
            action=f"{machine.name} {target}",
            subject=f"{machine.name}:{row_id}",
            from_state=state,
            to_state=target,
            reason=reason,
        )
    )
    return state


def lock_row(connection: Connection, table: Table, row_id: int) -> str:
    """Locks a row until the caller's transaction ends; returns its state.

    Callers that also change the error queue lock the subject first and then the failure, so that
    there is no deadlock.
    """
    query = sa.select(table.c.state).where(table.c.id == row_id).with_for_update()
    state: str = connection.execute(query).scalar_one()
    return state
