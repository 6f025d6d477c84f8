"""Locks of work: PostgreSQL releases a lock the moment its holder dies.

The number of a lock comes from a secret of the database (its function ``lock_key``), so that a role
that may take locks, but may not call that function, cannot take one of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Engine, event, text

from core.database.engine import plain_url
from core.user_errors import UserError

FLOW_RUN = "flow-run"
"""The kind of lock that every flow run holds while its process is alive."""
KEEPALIVE: dict[str, Any] = {
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


class BusyError(UserError):
    """Another process holds the lock."""


def hold_until_end(connection: Connection, subject: str) -> None:
    """Waits for the lock of the subject, and holds it until the transaction ends."""
    connection.execute(text("SELECT hold_lock(:subject)"), {"subject": subject})


def share_until_end(connection: Connection, subject: str) -> None:
    """Waits while somebody holds the lock of the subject alone (``hold_until_end``), and shares it
    with others until the transaction ends."""
    connection.execute(text("SELECT hold_shared_lock(:subject)"), {"subject": subject})


class HeldLock:
    """A lock while it is held."""

    def __init__(self, connection: psycopg.Connection[Any], subject: str) -> None:
        self._connection = connection
        self._subject = subject

    def check(self) -> None:
        """Raises ``BusyError`` if the lock was lost: another process may hold it by now."""
        try:
            self._connection.execute("SELECT")
        except psycopg.Error as error:
            raise BusyError(f"the lock of {self._subject} was lost") from error


@contextmanager
def subject_lock(url: str, kind: str, number: int | UUID) -> Iterator[HeldLock]:
    """Holds the lock of a subject on a connection of its own; ``BusyError`` if it is held."""
    connection = psycopg.connect(
        plain_url(url), autocommit=True, application_name=f"grouper {kind}/{number}", **KEEPALIVE
    )
    with closing(connection):
        row = connection.execute("SELECT pg_try_advisory_lock(lock_key(%s))", [f"{kind}/{number}"])
        if row.fetchone() != (True,):
            raise BusyError(f"{kind} {number} is being worked on already")
        try:
            yield HeldLock(connection, f"{kind} {number}")
        finally:
            # The server releases it with the connection too, but only some time later.
            with suppress(psycopg.Error):
                connection.execute("SELECT pg_advisory_unlock_all()")


@contextmanager
def guarded_by_lock(engine: Engine, held: HeldLock) -> Iterator[Engine]:
    """The engine, with a check of the lock at the beginning of each transaction.

    After a restart of the database another process may hold the lock, while connections reconnect.
    """

    def check(_connection: Connection) -> None:
        held.check()

    event.listen(engine, "begin", check)
    try:
        yield engine
    finally:
        event.remove(engine, "begin", check)


def is_locked(connection: Connection, kind: str, number: int | UUID) -> bool:
    """Whether a live process works on the subject."""
    rows = connection.execute(
        text(
            "SELECT 1 FROM pg_locks, lock_key(:subject) AS key "
            "WHERE locktype = 'advisory' AND objsubid = 1 AND granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND classid::bigint = (key >> 32) & 4294967295 AND objid::bigint = key & 4294967295"
        ),
        {"subject": f"{kind}/{number}"},
    )
    return rows.first() is not None
