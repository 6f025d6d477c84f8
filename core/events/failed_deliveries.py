"""Events that a rule refused too often, or that cannot be read, in the error queue."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.events.failures import OPEN, Failure, mark_resolved, mark_retried, record_failure
from core.events.outbox import wake_relay
from core.support.faults import Fault
from core.vocabulary.event_catalogue import RunFailed
from core.vocabulary.failure_kinds import FailureKind


def fail_delivery(
    connection: Connection,
    event_id: UUID,
    rule: str | None,
    fault: Fault,
    *,
    name: str,
    subject: str,
    title: str,
) -> str:
    """Puts the delivery of an event into the error queue; without a rule, that of the whole event.

    Returns the reference.
    """
    return record_failure(
        connection,
        FailureKind.EVENT_DELIVERY,
        fault,
        work=_work(event_id, rule),
        subject=subject,
        title=f"{name}, {title}",
        payload={"event_id": str(event_id), "rule": rule, "name": name},
        tell=name != RunFailed.name,
    )


def lock_event(connection: Connection, event_id: str) -> None:
    """Keeps the relay from the event until the caller's transaction ends."""
    events = tables.events
    connection.execute(
        sa.select(events.c.id).where(events.c.event_id == UUID(event_id)).with_for_update()
    )


def deliver_again(
    connection: Connection, failure: Failure, user_id: int | None, reason: str
) -> None:
    """Hands the event to the relay again, only for the rule that refused it."""
    event_id, rule = failure.payload["event_id"], failure.payload["rule"]
    mark_retried(connection, failure.work, why=reason, user_id=user_id)
    deliveries, events = tables.event_deliveries, tables.events
    if rule is not None:
        connection.execute(
            deliveries.update()
            .where(deliveries.c.event_id == UUID(event_id), deliveries.c.rule == rule)
            .values(attempts=0, delivered_at=None)
        )
    connection.execute(
        events.update()
        .where(events.c.event_id == UUID(event_id))
        .values(routed_at=None, delivered_at=None)
    )
    wake_relay(connection, event_id)


def resolve_delivered(connection: Connection, event_id: UUID) -> None:
    """Resolves the failures of an event that is delivered by now."""
    failures = tables.failures
    rule = failures.c.payload["rule"].astext
    standing = connection.execute(
        sa.select(failures.c.work, rule.label("rule")).where(
            failures.c.state.in_(OPEN), failures.c.work.startswith(_work(event_id, None))
        )
    ).all()
    if not standing:
        return
    deliveries = tables.event_deliveries.c
    delivered = {None} | set(
        connection.execute(
            sa.select(deliveries.rule).where(
                deliveries.event_id == event_id, deliveries.delivered_at.is_not(None)
            )
        ).scalars()
    )
    for row in standing:
        if row.rule in delivered:
            mark_resolved(connection, row.work, why="it was delivered")


def _work(event_id: UUID, rule: str | None) -> str:
    return f"delivery/{event_id}" + (f"/{rule}" if rule else "")
