"""Events of the outbox and their deliveries by rule, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Update, and_, case, func, literal, null, select
from sqlalchemy.dialects.postgresql import insert

from core.database.tables import event_deliveries, events
from core.events.failed_deliveries import resolve_delivered
from core.events.outbox import read_event
from core.vocabulary.event_catalogue import Event
from deployments.rules import Rule

REFUSED_ATTEMPTS = 3
"""The attempts of a refused delivery; then it goes to the error queue."""

PARTIES = ("provider/", "user/")
"""The prefixes of the tag with the party of a run."""


@dataclass(frozen=True)
class Raised:
    """An event of the outbox."""

    id: int
    event_id: UUID
    event: Event
    raised_at: datetime
    user_id: int | None = None

    def key(self, rule: Rule, attempt: int = 1) -> str:
        """The idempotency key of the run that a rule creates for it."""
        first = f"{self.event_id}:{rule.name}"
        return first if attempt == 1 else f"{first}:{attempt}"

    @property
    def party(self) -> str:
        """The party whose turn its runs take: a provider, a user, or none."""
        provider = getattr(self.event, "provider", None)
        if provider is not None:
            return f"provider/{provider}"
        return "" if self.user_id is None else f"user/{self.user_id}"

    @property
    def tags(self) -> list[str]:
        """The tags by which operators filter runs."""
        return [tag for tag in (self.event.subject, self.event.name, self.party) if tag]


PARTY = case(
    (events.c.payload.has_key("provider"), "provider/" + events.c.payload["provider"].astext),
    (events.c.user_id.is_not(None), func.concat("user/", events.c.user_id)),
    else_=literal(""),
)
"""``Raised.party`` of a row of the outbox."""

OPEN = and_(
    event_deliveries.c.delivered_at.is_(None), event_deliveries.c.attempts < REFUSED_ATTEMPTS
)
"""Deliveries that wait for their turn or a retry."""


def raised_from(row: Any) -> Raised:
    """The event of a row; raises ``KeyError`` or ``ValidationError`` for one of another version."""
    event = read_event(row.name, row.payload)
    return Raised(row.id, row.event_id, event, row.raised_at, row.user_id)


def rules_done(connection: Connection, raised: Raised) -> set[str]:
    """The rules that were carried out, or given up after too many refusals."""
    query = select(event_deliveries.c.rule).where(
        event_deliveries.c.event_id == raised.event_id, ~OPEN
    )
    return set(connection.execute(query).scalars())


def wait_for_turn(connection: Connection, raised: Raised, rule: Rule) -> None:
    """Records that a rule waits until its queue has room."""
    waiting = insert(event_deliveries).values(**_fixed(raised, rule), attempts=0)
    connection.execute(waiting.on_conflict_do_nothing())


def record_delivery(
    connection: Connection, raised: Raised, rule: Rule, result: dict[str, Any], attempts: int = 1
) -> None:
    """Records the result of a rule."""
    values = {
        "result": result,
        "attempts": attempts,
        "failure": None,
        "delivered_at": func.now(),
    }
    connection.execute(
        insert(event_deliveries)
        .values(**_fixed(raised, rule), **values)
        .on_conflict_do_update(index_elements=["event_id", "rule"], set_=values)
    )


def record_failure(connection: Connection, raised: Raised, rule: Rule, failure: str) -> int:
    """Counts a refused attempt; returns the number of attempts so far."""
    again = {"failure": failure, "attempts": event_deliveries.c.attempts + 1}
    statement = (
        insert(event_deliveries)
        .values(**_fixed(raised, rule), failure=failure)
        .on_conflict_do_update(index_elements=["event_id", "rule"], set_=again)
    )
    attempts = connection.execute(statement.returning(event_deliveries.c.attempts)).scalar_one()
    return int(attempts)


def _fixed(raised: Raised, rule: Rule) -> dict[str, Any]:
    return {"event_id": raised.event_id, "rule": rule.name, "target": str(rule.target)}


def close_routing(connection: Connection, raised: Raised) -> bool:
    """Records that every rule was carried out or waits; returns whether the event is complete."""
    routed = _event(raised.id).values(routed_at=func.now())
    connection.execute(routed)
    return close_if_complete(connection, raised)


def close_if_complete(connection: Connection, raised: Raised) -> bool:
    """Closes an event for which no rule waits; returns whether it did."""
    waits = select(null()).where(event_deliveries.c.event_id == raised.event_id, OPEN).exists()
    closed = _event(raised.id).where(~waits).values(delivered_at=func.now())
    if connection.execute(closed).rowcount == 0:
        return False
    resolve_delivered(connection, raised.event_id)
    return True


def set_aside(connection: Connection, number: int) -> None:
    """Closes an unreadable event, so that it does not block later ones."""
    now = func.now()
    connection.execute(_event(number).values(routed_at=now, delivered_at=now, shown_at=now))


def route_again_without(connection: Connection, queue_rules: list[str]) -> int:
    """Routes again the deliveries that wait under a rule that is no longer among ``queue_rules``;
    returns how many there were."""
    gone = connection.execute(
        event_deliveries.delete()
        .where(OPEN, event_deliveries.c.rule.not_in(queue_rules))
        .returning(event_deliveries.c.event_id)
    ).scalars()
    numbers = list(gone)
    again = events.update().where(events.c.event_id.in_(numbers), events.c.delivered_at.is_(None))
    connection.execute(again.values(routed_at=None))
    return len(numbers)


def _event(number: int) -> Update:
    return events.update().where(events.c.id == number)
