"""Events and their deliveries, posts of log groups, the audit."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from core.database.tables.columns import metadata, now, number, user, words

events = Table(
    "events",
    metadata,
    number(kind=BigInteger),
    Column("event_id", UUID(as_uuid=True), nullable=False, unique=True),
    words("name"),
    Column("subject", Text, nullable=False, comment="what it is about, as file/12"),
    Column("payload", JSONB, nullable=False),
    user("user_id"),
    now("raised_at"),
    Column(
        "routed_at",
        DateTime(timezone=True),
        comment="every rule was carried out or waits for its turn on a queue",
    ),
    Column("delivered_at", DateTime(timezone=True), comment="every rule was carried out"),
    Column("shown_at", DateTime(timezone=True), comment="is on Prefect's feed"),
    Index(None, "subject"),
    Index("ix_events_unrouted", "id", postgresql_where=text("routed_at IS NULL")),
    Index("ix_events_unshown", "id", postgresql_where=text("shown_at IS NULL")),
)

event_deliveries = Table(
    "event_deliveries",
    metadata,
    Column("event_id", UUID(as_uuid=True), ForeignKey("events.event_id"), primary_key=True),
    Column("rule", Text, primary_key=True),
    words("target"),
    Column("result", JSONB, comment="the flow run, the log post"),
    Column("attempts", Integer, nullable=False, server_default="1"),
    words("failure", required=False),
    Column(
        "delivered_at",
        DateTime(timezone=True),
        comment="null: it waits for its turn, or is to be tried again",
    ),
    Index("ix_event_deliveries_open", "rule", postgresql_where=text("delivered_at IS NULL")),
)

hook_calls = Table(
    "hook_calls",
    metadata,
    Column("signature", Text, primary_key=True),
    now("at"),
    comment="what was told by the scheduler's hook, so that it is not told again",
)

lock_space = Table(
    "lock_space",
    metadata,
    Column(
        "secret", UUID(as_uuid=True), primary_key=True, server_default=text("gen_random_uuid()")
    ),
    comment="one row: what the numbers of advisory locks are made of",
)

log_posts = Table(
    "log_posts",
    metadata,
    number(kind=BigInteger),
    words("log_group"),
    now("at"),
    words("subject"),
    words("text"),
    Column("event_id", UUID(as_uuid=True)),
    UniqueConstraint("log_group", "event_id"),
    Index(None, "log_group", "at"),
    Index(None, "subject", "at"),
    Index(
        "ix_log_posts_text",
        "text",
        postgresql_using="gin",
        postgresql_ops={"text": "gin_trgm_ops"},
    ),
    comment="append only: a trigger refuses changes, and lets go of what is too old",
)

audit = Table(
    "audit",
    metadata,
    number(kind=BigInteger),
    now("at"),
    user("user_id"),
    words("action"),
    words("subject"),
    words("from_state", required=False),
    words("to_state", required=False),
    words("reason", required=False),
    Column("detail", JSONB),
    Column(
        "address",
        Text,
        server_default=text("NULLIF(current_setting('grouper.address'::text, true), ''::text)"),
        comment="from where",
    ),
    Column("once", Text, comment="of what there is one row at most; null: of each"),
    Index(None, "subject", "at"),
    Index(None, "user_id", "at"),
    Index(None, "once", unique=True, postgresql_where=text("once IS NOT NULL")),
    comment="append only: a trigger refuses changes",
)
