"""Hears of what other processes commit, by PostgreSQL's LISTEN and NOTIFY."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from psycopg import sql

from core.database.locks import KEEPALIVE


def notifications(url: str, channel: str, *, seconds: float) -> Iterator[list[str]]:
    """What was told on the channel, as it comes; an empty list when nothing was for ``seconds``.

    The first list is always empty, and comes once nothing can be missed any more: read then what
    was there before.
    """
    with psycopg.connect(
        url, autocommit=True, application_name=f"grouper {channel}", **KEEPALIVE
    ) as connection:
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        yield []
        while True:
            heard = list(connection.notifies(timeout=seconds, stop_after=1))
            yield [each.payload for each in heard]
