"""The outbox: an event is written in the transaction of its change, or not at all."""

from __future__ import annotations

from uuid import UUID, uuid4

from psycopg.errors import UniqueViolation
from sqlalchemy import Connection, Insert
from sqlalchemy.exc import IntegrityError

from core.database.listening import notify_listeners
from core.database.tables import events
from core.vocabulary.event_catalogue import CATALOGUE, Event

CHANNEL = "grouper_events"
"""The channel on which PostgreSQL notifies listeners when the transaction is committed."""


def raise_event(
    connection: Connection,
    event: Event,
    user_id: int | None = None,
    *,
    event_id: UUID | None = None,
) -> UUID:
    """Writes ``event`` in the caller's transaction and wakes the relay; returns the event's id.

    With an ``event_id``, a second event of that id is not written.
    """
    if event.name not in CATALOGUE:
        raise LookupError(f"{event.name!r} is not in the catalogue of events")
    requested_id, event_id = event_id, event_id or uuid4()
    # Nothing is read back: whoever raises an event may not read the outbox.
    statement = (
        events.insert()
        .values(
            event_id=event_id,
            name=event.name,
            subject=event.subject,
            payload=event.model_dump(mode="json"),
            user_id=user_id,
        )
        .inline()
    )
    if requested_id is None:
        connection.execute(statement)
    elif not _is_new(connection, statement):
        return event_id
    wake_relay(connection, event_id)
    return event_id


def _is_new(connection: Connection, statement: Insert) -> bool:
    """Writes an event unless it exists already; returns whether it was written."""
    try:
        with connection.begin_nested():
            connection.execute(statement)
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        return False
    return True


def wake_relay(connection: Connection, event_id: UUID | str) -> None:
    """Notifies the relay of an event once the caller's transaction is committed."""
    notify_listeners(connection, CHANNEL, str(event_id))


def read_event(name: str, payload: dict[str, object]) -> Event:
    """The event that a row of the outbox holds."""
    return CATALOGUE[name].model_validate(payload)
