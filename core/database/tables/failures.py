"""The error queue."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from core.database.tables.columns import metadata, moment, now, number, one_of, user, words
from core.vocabulary.column_values import FAILURE_KINDS, FAILURE_STATES

OPEN = text("state IN ('waiting', 'retried')")

failures = Table(
    "failures",
    metadata,
    number(kind=BigInteger),
    Column("reference", Text, nullable=False, unique=True, comment="the user sees it too"),
    words("kind"),
    Column("work", Text, nullable=False, comment="what failed; one open failure each"),
    Column("subject", Text, nullable=False, comment="what it is about, as file/12"),
    Column("title", Text, nullable=False, comment="the subject in words"),
    Column("reason", Text, nullable=False, comment="for people"),
    Column("detail", Text, comment="for who looks into it; no values of records"),
    Column("payload", JSONB, nullable=False, server_default=text("'{}'")),
    Column("attempts", Integer, nullable=False, server_default="1"),
    now("first_at"),
    now("last_at"),
    Column("state", Text, nullable=False, server_default="waiting"),
    user("resolved_by"),
    moment("resolved_at"),
    Column("flow_run", UUID(as_uuid=True), comment="the last that tried"),
    one_of("kind", FAILURE_KINDS),
    one_of("state", FAILURE_STATES),
    Index("uq_failures_open_work", "work", unique=True, postgresql_where=OPEN),
    Index(None, "state", "last_at"),
    Index(None, "subject"),
)
