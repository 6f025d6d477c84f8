"""The notifications of a user in the portal, newest first, read or unread."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables

SHOWN = 100


@dataclass(frozen=True)
class Notification:
    """A notification as its user reads it."""

    id: int
    topic: str
    title: str
    text: str
    address: str
    at: dt.datetime
    read_at: dt.datetime | None


def inbox(connection: Connection, user_id: int, *, limit: int = SHOWN) -> list[Notification]:
    """The newest notifications of a user."""
    notifications = tables.notifications
    columns = [notifications.c[name] for name in Notification.__dataclass_fields__]
    query = (
        sa.select(*columns)
        .where(notifications.c.user_id == user_id, notifications.c.in_portal)
        .order_by(notifications.c.id.desc())
        .limit(limit)
    )
    return [Notification(*row) for row in connection.execute(query)]


def unread_count(connection: Connection, user_id: int) -> int:
    """How many notifications a user has not read."""
    query = sa.select(sa.func.count()).where(*_unread(user_id))
    return int(connection.execute(query).scalar_one())


def mark_read(connection: Connection, user_id: int, notification_id: int | None = None) -> None:
    """Marks one of the user's notifications as read, or all of them."""
    notifications = tables.notifications
    marked = notifications.update().where(*_unread(user_id)).values(read_at=sa.func.now())
    if notification_id is not None:
        marked = marked.where(notifications.c.id == notification_id)
    connection.execute(marked)


def _unread(user_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    notifications = tables.notifications
    return (
        notifications.c.user_id == user_id,
        notifications.c.in_portal,
        notifications.c.read_at.is_(None),
    )
