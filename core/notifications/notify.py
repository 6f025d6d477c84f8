"""Notifies people of an event: one notification for each event and person, never two."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.database import tables
from core.database.listening import notify_listeners
from core.notifications.choices import channels_of
from core.notifications.recipients import recipients_of
from core.notifications.texts import fill_template, templates_of
from core.vocabulary.event_catalogue import Event
from core.vocabulary.topics import Channel, Topic

WAKE_CHANNEL = "grouper_notifications"
"""The channel on which PostgreSQL notifies the sender of waiting deliveries."""


def notify(connection: Connection, event_id: UUID, event: Event) -> int:
    """Writes the notifications of an event and their deliveries; returns how many are new."""
    written = 0
    for template in templates_of(event):
        people = recipients_of(connection, template.recipients, event)
        if people:
            filled = fill_template(template, event, provider_name=_provider_name(connection, event))
            values = {
                "event_id": event_id,
                "topic": template.topic,
                "title": filled.title,
                "text": filled.text,
                "address": filled.address,
            }
            written += _write(connection, people, template.topic, values)
    return written


def _provider_name(connection: Connection, event: Event) -> str | None:
    organisations = tables.organisations
    code = getattr(event, "provider", None)
    query = sa.select(organisations.c.name).where(organisations.c.code == code)
    return None if code is None else connection.execute(query).scalar()


def _write(
    connection: Connection, people: list[int], topic: Topic, values: dict[str, object]
) -> int:
    channels = channels_of(connection, people, topic)
    notifications = tables.notifications
    rows = [
        {**values, "user_id": person, "in_portal": Channel.PORTAL in channels[person]}
        for person in people
    ]
    new = connection.execute(
        insert(notifications)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["event_id", "user_id"])
        .returning(notifications.c.id, notifications.c.user_id)
    ).all()
    sent = [
        {"notification_id": number, "channel": channel}
        for number, person in new
        for channel in sorted(channels[person] - {Channel.PORTAL})
    ]
    if sent:
        connection.execute(tables.notification_deliveries.insert().values(sent))
        wake_sender(connection)
    return len(new)


def wake_sender(connection: Connection) -> None:
    """Notifies the sender of waiting deliveries once the caller's transaction is committed."""
    notify_listeners(connection, WAKE_CHANNEL)
