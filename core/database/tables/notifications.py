"""Notifications, the choices of users, and deliveries."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from core.database.tables.columns import metadata, moment, now, number, one_of, words
from core.vocabulary.states.notifications import DELIVERY_STATES
from core.vocabulary.topics import CHANNELS, SENT_CHANNELS, TOPICS


def _of_user(*, primary_key: bool = False) -> Column[int]:
    user = ForeignKey("users.id")
    return Column("user_id", Integer, user, nullable=False, primary_key=primary_key)


notifications = Table(
    "notifications",
    metadata,
    number(kind=BigInteger),
    Column("event_id", UUID(as_uuid=True), ForeignKey("events.event_id"), nullable=False),
    _of_user(),
    words("topic"),
    words("title"),
    words("text"),
    Column("address", Text, nullable=False, comment="page of the portal, with its query"),
    Column("in_portal", Boolean, nullable=False, comment="whether its user reads it there"),
    now("at"),
    moment("read_at"),
    UniqueConstraint("event_id", "user_id"),
    one_of("topic", TOPICS),
    Index("ix_notifications_user_id_id", "user_id", "id", postgresql_where=text("in_portal")),
    Index(
        "ix_notifications_unread",
        "user_id",
        postgresql_where=text("in_portal AND read_at IS NULL"),
    ),
)

notification_deliveries = Table(
    "notification_deliveries",
    metadata,
    number(kind=BigInteger),
    Column("notification_id", BigInteger, ForeignKey("notifications.id"), nullable=False),
    words("channel"),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    words("failure", required=False),
    moment("ended_at"),
    UniqueConstraint("notification_id", "channel"),
    one_of("channel", SENT_CHANNELS),
    one_of("state", DELIVERY_STATES),
    Index(
        "ix_notification_deliveries_waiting",
        "channel",
        "next_at",
        postgresql_where=text("state = 'waiting'"),
    ),
)

notification_choices = Table(
    "notification_choices",
    metadata,
    _of_user(primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("wanted", Boolean, nullable=False),
    one_of("topic", TOPICS),
    one_of("channel", CHANNELS),
    comment="where there is no row, the default holds",
)

webhooks = Table(
    "webhooks",
    metadata,
    _of_user(primary_key=True),
    words("url"),
    Column("secret", Text, nullable=False, comment="signs what is sent there"),
    now("changed_at"),
)

deadline_notices = Table(
    "deadline_notices",
    metadata,
    _of_user(primary_key=True),
    Column("provider_id", Integer, ForeignKey("organisations.id"), primary_key=True),
    Column("month", Date, primary_key=True, comment="its first day"),
    Column("dataset", Text, primary_key=True, server_default="", comment="name of the data set"),
    Column("stage", Text, primary_key=True, comment="7, 2, 0 days before, or a week of lateness"),
    now("told_at"),
)
