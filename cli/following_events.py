"""A stream of events as they are committed, each repeated when its outcomes change."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

import psycopg
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError

from core.access.scope import EVERYTHING
from core.database.engine import database_url
from core.database.listening import notifications
from core.database.tables import events
from core.events.event_list import EventRow, EventSearch, events_after, find_events
from core.events.outbox import CHANNEL

LOOK_SECONDS = 0.5
"""Seconds between checks of the outcomes of events."""
AWAY_SECONDS = 1.0
FOLLOWED = 1_000
"""The number of events whose outcomes are checked; older ones are dropped."""


def changed_events(engine: Engine, criteria: EventSearch) -> Iterator[EventRow]:
    """Each event that fits as it is committed (or was since ``criteria.since``), and once more
    whenever what came of it changes. Goes on through a restart of the database."""
    following = _Following(engine, criteria)
    while True:
        with suppress(psycopg.OperationalError, OperationalError):
            for heard in notifications(database_url(), CHANNEL, seconds=LOOK_SECONDS):
                yield from following.look(heard)
        time.sleep(AWAY_SECONDS)


class _Following:
    """The events that were shown, and those that may still change."""

    def __init__(self, engine: Engine, criteria: EventSearch) -> None:
        self.engine = engine
        self.criteria = criteria
        self.last = 0 if criteria.since else self._newest()
        self.shown: dict[UUID, EventRow] = {}

    def look(self, heard: list[str]) -> Iterator[EventRow]:
        """What is new or has changed; an empty ``heard`` also looks for what was not heard of."""
        with self.engine.connect() as connection:
            rows = [] if heard else events_after(connection, EVERYTHING, self.criteria, self.last)
            named = {UUID(each) for each in heard if each} | self._open()
            rows += find_events(
                connection, EVERYTHING, self.criteria, named - {row.event_id for row in rows}
            )
        for row in rows:
            self.last = max(self.last, row.id)
            if self.shown.pop(row.event_id, None) != row:
                yield row
            self.shown[row.event_id] = row
        while len(self.shown) > FOLLOWED:
            del self.shown[next(iter(self.shown))]

    def _open(self) -> set[UUID]:
        return {event_id for event_id, row in self.shown.items() if not row.complete}

    def _newest(self) -> int:
        newest = select(func.coalesce(func.max(events.c.id), 0))
        with self.engine.connect() as connection:
            return int(connection.execute(newest).scalar_one())
