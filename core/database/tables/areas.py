"""The register of areas, and the crawls of the spider that keep it."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from core.database.tables.columns import count, metadata, moment, now, number, one_of, user, words
from core.vocabulary.states.areas import SPIDER_MACHINE

areas = Table(
    "areas",
    metadata,
    Column("code", Text, primary_key=True),
    words("name"),
    words("name_welsh", required=False),
    Column("parent", Text, index=True, comment="code; null: stands at the top"),
    Column("begins", Date, comment="first day; null: not known"),
    Column("ends", Date, comment="last day; null: in force"),
    Column("since", Date, comment="first day of this name and parent; null: not known"),
    words("successors", required=False),
    Column("longitude", Double),
    Column("latitude", Double),
    comment="without foreign keys, so that the whole register is copied in at once",
)

area_periods = Table(
    "area_periods",
    metadata,
    Column("code", Text, primary_key=True),
    Column("until", Date, primary_key=True, comment="last day of this name and parent"),
    words("name"),
    words("name_welsh", required=False),
    words("parent", required=False),
    Column("since", Date),
    comment="earlier names and parents",
)

area_register = Table(
    "area_register",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False, comment="0: as it was shipped"),
    Column("shipped", Text, nullable=False, comment="digest of the shipped register it began as"),
    now("changed_at"),
    CheckConstraint("id = 1", name="one_row"),
)

area_answers = Table(
    "area_answers",
    metadata,
    Column("source", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    words("etag", required=False),
    words("last_modified", required=False),
    Column("page", JSONB, nullable=False, comment="what it held when it was last sent"),
    comment="lets a source say that a page is as it was, instead of sending it again",
)

spider_runs = Table(
    "spider_runs",
    metadata,
    number(),
    Column("state", Text, nullable=False, server_default="planned"),
    words("source"),
    Column("within", Text, comment="area code; null: the whole of the source"),
    user("requested_by"),
    now("requested_at"),
    moment("started_at"),
    moment("finished_at"),
    words("failure", required=False),
    Column("summary", JSONB, comment="what it came to, by what happened to areas"),
    Column("flow_run", UUID(as_uuid=True)),
    one_of("state", SPIDER_MACHINE.states),
)

spider_questions = Table(
    "spider_questions",
    metadata,
    number(),
    Column("run_id", Integer, ForeignKey("spider_runs.id"), nullable=False),
    Column("parent", Text, nullable=False, comment="the area whose children are asked for"),
    words("kind"),
    moment("asked_at"),
    moment("answered_at"),
    moment("failed_at"),
    moment("held_at"),
    Column("failure", Text, comment="why it failed or is held"),
    Column("held_pages", JSONB, comment="the answer, while a person is to look at it"),
    Column("accepted", Boolean, nullable=False, server_default=text("false")),
    user("accepted_by"),
    count("children"),
    count("new"),
    count("changed"),
    count("retired"),
    count("unchanged"),
    Column("missing", ARRAY(Text), comment="children that the register has and the answer lacks"),
    Column("claimed", ARRAY(Text), comment="children that the register has elsewhere"),
    Column("contradictions", ARRAY(Text), comment="children that it lies within itself"),
    UniqueConstraint("run_id", "parent"),
    CheckConstraint("num_nonnulls(answered_at, failed_at, held_at) <= 1", name="one_end"),
    Index(
        "ix_spider_questions_waiting",
        "run_id",
        postgresql_where=text("num_nonnulls(answered_at, failed_at, held_at) = 0"),
    ),
)
