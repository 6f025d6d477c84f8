"""Tells workers that a run was created, so that none waits for their next poll."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

CHANNEL = "grouper_runs_created"


def tell_workers(connection: Connection) -> None:
    """Wakes those who listen once the transaction is committed."""
    connection.execute(select(func.pg_notify(CHANNEL, "")))
