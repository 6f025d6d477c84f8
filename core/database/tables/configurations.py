"""Data sets, tariff configurations and their participants."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import DATERANGE, ExcludeConstraint

from core.database.tables.columns import metadata, now, number, one_of, user, words
from core.vocabulary.column_values import CONFIGURATION_STATES

datasets = Table(
    "datasets",
    metadata,
    number(),
    words("dataset"),
    words("version"),
    Column("body", Text, nullable=False, comment="the specification, YAML"),
    now("imported_at"),
    UniqueConstraint("dataset", "version"),
)

configurations = Table(
    "configurations",
    metadata,
    number(),
    Column("configuration", Text, nullable=False, unique=True),
    words("title"),
    Column("dataset_id", Integer, ForeignKey("datasets.id"), nullable=False),
    words("status"),
    Column("starts", Date, nullable=False),
    Column("ends", Date, nullable=False, comment="inclusive"),
    Column("body", Text, nullable=False, comment="the tariff configuration, YAML"),
    Column("owner", Text, comment="area code of the lead commissioner"),
    now("imported_at"),
    user("imported_by"),
    one_of("status", CONFIGURATION_STATES),
    CheckConstraint("starts <= ends", name="dates"),
)

configuration_providers = Table(
    "configuration_providers",
    metadata,
    Column(
        "configuration_id",
        Integer,
        ForeignKey("configurations.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("provider", Text, primary_key=True),
    Column("during", DATERANGE, nullable=False),
    Column("draft", Boolean, nullable=False, comment="drafts are never used and may overlap"),
    ExcludeConstraint(
        ("provider", "="),
        ("during", "&&"),
        name="one_at_a_time",
        using="gist",
        where=text("NOT draft"),
    ),
)
