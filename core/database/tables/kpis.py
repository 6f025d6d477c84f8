"""Indicators, their figures by run, and the tables for measuring them."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from core.database.tables.columns import metadata, moment, now, number, one_of, user, words
from core.vocabulary.column_values import KPI_STATES

kpis = Table(
    "kpis",
    metadata,
    number(),
    words("kpi"),
    Column("version", Integer, nullable=False, comment="counts the versions of its name"),
    words("dataset"),
    Column("state", Text, nullable=False, server_default="draft"),
    Column("body", JSONB, nullable=False, comment="the definition"),
    user("written_by"),
    now("written_at"),
    UniqueConstraint("kpi", "version"),
    one_of("state", KPI_STATES),
    Index("uq_kpis_published", "kpi", unique=True, postgresql_where=text("state = 'published'")),
)
kpi_results = Table(
    "kpi_results",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("kpi_id", Integer, ForeignKey("kpis.id"), primary_key=True),
    Column("numerator", Numeric),
    Column("denominator", Numeric),
    Column("failure", Text, comment="why there is no figure"),
    now("measured_at"),
    Column(
        "taken_over",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="the old service gave the figure",
    ),
)
kpi_trials = Table(
    "kpi_trials",
    metadata,
    number(),
    Column("kpi_id", Integer, ForeignKey("kpis.id"), nullable=False),
    Column("run_id", Integer, ForeignKey("runs.id"), nullable=False),
    Column("asked_by", Integer, ForeignKey("users.id"), nullable=False),
    now("asked_at"),
    Column("numerator", Numeric),
    Column("denominator", Numeric),
    Column("failure", Text, comment="why there is no figure"),
    moment("done_at"),
)
kpi_chunks = Table(
    "kpi_chunks",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("chunk", SmallInteger, primary_key=True),
    comment="the chunks of runs whose episodes are written for queries",
)
kpi_sessions = Table(
    "kpi_sessions",
    metadata,
    Column("pid", Integer, primary_key=True, autoincrement=False),
    Column("run_id", Integer, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column(
        "commissioners",
        ARRAY(Text),
        comment="whose charges and episodes it sees; null: of the whole run",
    ),
    comment="which run each session of the measuring role sees",
)
kpi_left_out = Table(
    "kpi_left_out",
    metadata,
    Column("pid", Integer, primary_key=True, autoincrement=False),
    Column("patient", Text, primary_key=True),
    comment="patients that a session does not see, while it is found out whom a figure rests on",
)
