"""Hears of what other processes commit, by PostgreSQL's LISTEN and NOTIFY."""

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
"""What is raised where the database cannot be reached, or lets go of a connection."""


@contextmanager
def listening(url: str, channel: str, name: str = "") -> Iterator[psycopg.Connection[Any]]:
    """A connection that hears of all that is told on the channel from now on."""
    with psycopg.connect(
        url, autocommit=True, application_name=f"grouper {name or channel}", **KEEPALIVE
    ) as connection:
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        yield connection


def notifications(url: str, channel: str, *, seconds: float) -> Iterator[list[str]]:
    """What was told on the channel, as it comes; an empty list when nothing was for ``seconds``.

    The first list is always empty, and comes once nothing can be missed any more: read then what
    was there before.
    """
    with listening(url, channel) as connection:
        yield []
        while True:
            heard = list(connection.notifies(timeout=seconds, stop_after=1))
            yield [each.payload for each in heard]


def act_when_told(
    url: str,
    channel: str,
    act: Callable[[bool], float],
    *,
    name: str,
    seconds_away: Callable[[], float],
) -> NoReturn:
    """Calls ``act`` at once, and again when something is told or the seconds have passed that it
    gave; ``act`` is told whether it was for the first reason.

    While the database is away, for as long as ``seconds_away`` gives each time, it waits.
    """
    log = logging.getLogger(f"grouper.{name}")
    while True:
        try:
            with listening(url, channel, name) as connection:
                told = False
                while True:
                    seconds = act(told)
                    told = bool(list(connection.notifies(timeout=seconds, stop_after=1)))
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
