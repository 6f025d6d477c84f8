"""Notifications of commits of other processes, by PostgreSQL's LISTEN and NOTIFY."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, cast

import psycopg
import sqlalchemy.exc
from psycopg import sql
from sqlalchemy import Connection

from core.database.locks import KEEPALIVE

DATABASE_AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
)
"""The exceptions raised where the database cannot be reached, or closes a connection."""


@contextmanager
def listening(url: str, channel: str, name: str = "") -> Iterator[psycopg.Connection[Any]]:
    """A connection that receives all notifications on the channel from now on."""
    with psycopg.connect(
        url, autocommit=True, application_name=f"grouper {name or channel}", **KEEPALIVE
    ) as connection:
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        yield connection


def notifications(url: str, channel: str, *, seconds: float) -> Iterator[list[str]]:
    """The payloads on the channel as they arrive; an empty list after ``seconds`` without any.

    The first list is always empty, and comes when the connection listens: read then what was
    committed before.
    """
    with listening(url, channel) as connection:
        yield []
        while True:
            heard = list(connection.notifies(timeout=seconds, stop_after=1))
            yield [each.payload for each in heard]


def act_on_notifications(
    url: str,
    channel: str,
    act: Callable[[bool], float],
    *,
    name: str,
    seconds_away: Callable[[], float],
) -> NoReturn:
    """Calls ``act`` at once, and again at each notification or after the seconds that it returned;
    its argument is whether there was a notification.

    While the database is away it waits, each time for the result of ``seconds_away``.
    """
    log = logging.getLogger(f"grouper.{name}")
    while True:
        try:
            with listening(url, channel, name) as connection:
                notified = False
                while True:
                    seconds = act(notified)
                    notified = bool(list(connection.notifies(timeout=seconds, stop_after=1)))
        except DATABASE_AWAY as error:
            log.warning("the database is away: %s", error)
            time.sleep(seconds_away())


def notify_listeners(connection: Connection, channel: str, payload: str = "") -> None:
    """Wakes who listens, once the caller's transaction is committed.

    By a statement, not by ``pg_notify``: the function is closed to roles that carry out queries.
    """
    statement = sql.SQL("NOTIFY {}, {}").format(sql.Identifier(channel), sql.Literal(payload))
    with cast("psycopg.Cursor[Any]", connection.connection.cursor()) as cursor:
        cursor.execute(statement)
