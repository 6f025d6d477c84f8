"""Who is at work on what: a lock that PostgreSQL gives back the moment its holder dies.

The number of a lock comes from a secret of the database (``lock_key`` there), so that nobody who
can take a lock, but not ask that function, can take one of ours.
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
"""The kind of lock that every run of a flow holds of itself while its process lives."""
KEEPALIVE: dict[str, Any] = {
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


class BusyError(UserError):
    """Another process holds the lock."""


def hold_until_end(connection: Connection, subject: str) -> None:
    """Waits for a lock of the transaction, by what it is about."""
    connection.execute(text("SELECT hold_lock(:subject)"), {"subject": subject})


class HeldLock:
    """A lock while it is held."""

    def __init__(self, connection: psycopg.Connection[Any], subject: str) -> None:
        self._connection = connection
        self._subject = subject

    def check(self) -> None:
        """Raises ``BusyError`` if the database let go of the lock: another may have it by now."""
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
            # The server frees it with the connection too, but only some time after we have gone on.
            with suppress(psycopg.Error):
                connection.execute("SELECT pg_advisory_unlock_all()")


@contextmanager
def only_while_held(engine: Engine, held: HeldLock) -> Iterator[Engine]:
    """The engine, each of whose transactions begins with a look at the lock.

    After a restart of the database the lock may be another's, while our connections come back.
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
    found = connection.execute(
        text(
            "SELECT 1 FROM pg_locks, lock_key(:subject) AS key "
            "WHERE locktype = 'advisory' AND objsubid = 1 AND granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND classid::bigint = (key >> 32) & 4294967295 AND objid::bigint = key & 4294967295"
        ),
        {"subject": f"{kind}/{number}"},
    )
    return found.first() is not None
