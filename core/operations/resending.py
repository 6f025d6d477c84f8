"""Sends events again, where a delivery was lost or failed.

Rules of an event that were carried out are not repeated, and receivers act once for each event id.
To repeat everything, the event is raised again under a new id.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection

from core.database.listening import notify_listeners
from core.database.tables import audit, event_deliveries, events
from core.events.event_list import EventRow
from core.events.outbox import CHANNEL, raise_event, read_event
from core.user_errors import UserError


def flow_runs_of(rows: Collection[EventRow]) -> set[UUID]:
    """The ids of the flow runs that the events started."""
    return {rule.flow_run for row in rows for rule in row.rules if rule.flow_run}


def resend(
    connection: Connection,
    rows: Collection[EventRow],
    *,
    gone: Collection[UUID] = (),
    user_id: int | None = None,
) -> int:
    """Makes the relay carry out missing rules of the events; returns how many failed or are lost.

    Missing are rules that failed, rules added since, and rules whose flow run is among ``gone``,
    which Prefect no longer has.
    """
    missing = 0
    for row in rows:
        lost = [
            rule.rule for rule in row.rules if rule.outcome == "failed" or rule.flow_run in gone
        ]
        missing += len(lost)
        delivery = event_deliveries.c
        connection.execute(
            event_deliveries.delete().where(
                delivery.event_id == row.event_id, delivery.rule.in_(lost)
            )
        )
        again = {"routed_at": None, "delivered_at": None}
        connection.execute(events.update().where(events.c.id == row.id).values(again))
        _audit(connection, row, user_id, {"rules": lost})
    notify_listeners(connection, CHANNEL)
    return missing


def raise_again(
    connection: Connection, rows: Collection[EventRow], *, user_id: int | None = None
) -> list[UUID]:
    """Raises each event again, so that every rule acts again; returns the new ids, in order.

    Raises ``UserError`` for an event of another version of the catalogue.
    """
    raised = []
    for row in rows:
        try:
            event = read_event(row.name, row.payload)
        except (KeyError, ValueError) as error:
            raise UserError(
                f"event {row.event_id} ({row.name}) was written by another version of Grouper "
                "and cannot be raised again"
            ) from error
        raised.append(raise_event(connection, event, row.user_id))
        _audit(connection, row, user_id, {"raised_as": str(raised[-1])})
    return raised


def _audit(
    connection: Connection, row: EventRow, user_id: int | None, detail: dict[str, object]
) -> None:
    connection.execute(
        audit.insert().values(
            user_id=user_id,
            action="event sent again",
            subject=f"event/{row.event_id}",
            detail=detail,
        )
    )
