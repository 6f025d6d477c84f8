"""Turns on a queue: runs are created only as there is room, fairly between parties.

Prefect serves a queue in the order in which runs were created. So that fifty files of one provider
are not all served before the one file of another, they wait in the database, and Prefect gets no
more of one provider than the queue carries out at once (docs/decisions/0006).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, func, select

from core.database.tables import event_deliveries, events
from deployments.deliveries import OPEN, PARTIES, PARTY

PORTION = 50
"""The most runs that are created before new events are routed."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery that waits for its turn; ``place`` counts from 1 within its party."""

    number: int  # of the event
    event_id: UUID
    rule: str
    party: str
    place: int


def waiting(connection: Connection, rules: Sequence[str], places: int) -> list[Waiting]:
    """The first ``places`` waiting deliveries of each party, under rules that share a queue."""
    place = func.row_number().over(partition_by=PARTY, order_by=(events.c.id))
    numbered = (
        select(
            events.c.id.label("number"),
            events.c.event_id,
            event_deliveries.c.rule,
            PARTY.label("party"),
            place.label("place"),
        )
        .join(event_deliveries, event_deliveries.c.event_id == events.c.event_id)
        .where(OPEN, event_deliveries.c.rule.in_(rules))
        .subquery()
    )
    query = (
        select(numbered)
        .where(numbered.c.place <= places)
        .order_by(numbered.c.place, numbered.c.number)
    )
    return [Waiting(*row) for row in connection.execute(query)]


def due(candidates: Iterable[Waiting], at_work: Counter[str], limit: int | None) -> list[Waiting]:
    """The deliveries whose turn it is now, in order.

    ``at_work`` counts the runs that Prefect has, by party; ``limit`` is how many it carries out at
    once (None: any number). Prefect gets as many again, so that a worker never waits, but never
    more than ``limit`` of one party. The party with the fewest comes first; then the longest
    waiting.
    """
    in_turn = sorted(
        candidates, key=lambda waiting: (waiting.place + at_work[waiting.party], waiting.number)
    )
    if limit is None:
        return in_turn[:PORTION]
    room = max(0, 2 * limit - at_work.total())
    allowed = [waiting for waiting in in_turn if waiting.place + at_work[waiting.party] <= limit]
    return allowed[: min(room, PORTION)]


def party_of(tags: Iterable[str]) -> str:
    """The party of a run, by its tags."""
    return next((tag for tag in tags if tag.startswith(PARTIES)), "")
