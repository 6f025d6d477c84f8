"""Notifies workers of a new run, so that it does not wait for their next poll."""

from __future__ import annotations

from sqlalchemy import Connection

from core.database.listening import notify_listeners

CHANNEL = "grouper_runs_created"


def tell_workers(connection: Connection) -> None:
    """Wakes listening workers once the transaction is committed."""
    notify_listeners(connection, CHANNEL)
