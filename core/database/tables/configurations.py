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
    words("title"),
    Column("starts", Date, comment="first month in force; null: from the beginning"),
    Column("body", Text, nullable=False, comment="the specification, YAML"),
    now("imported_at"),
    UniqueConstraint("dataset", "version"),
)

configurations = Table(
    "configurations",
    metadata,
    number(),
    words("configuration"),
    Column(
        "revision",
        Integer,
        nullable=False,
        server_default="1",
        comment="counts the revisions of the configuration",
    ),
    Column("holds_from", Date, nullable=False, comment="first day on which this revision holds"),
    Column("why", Text, comment="reason of the revision; null: the first"),
    Column("made_by", Text, comment="who made it, where no user did"),
    words("title"),
    Column("dataset_id", Integer, ForeignKey("datasets.id"), nullable=False),
    words("status"),
    Column("starts", Date, nullable=False),
    Column("ends", Date, nullable=False, comment="inclusive"),
    Column("body", Text, nullable=False, comment="the tariff configuration, YAML"),
    Column("owner", Text, comment="area code of the lead commissioner"),
    now("imported_at"),
    user("imported_by"),
    UniqueConstraint("configuration", "revision"),
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
    words("dataset"),
    Column("during", DATERANGE, nullable=False),
    Column("draft", Boolean, nullable=False, comment="drafts are never used and may overlap"),
    Column(
        "shadow",
        Boolean,
        nullable=False,
        server_default="false",
        comment="calculated beside what charges, which it may overlap",
    ),
    ExcludeConstraint(
        ("dataset", "="),
        ("provider", "="),
        ("during", "&&"),
        name="one_at_a_time",
        using="gist",
        where=text("NOT draft AND NOT shadow"),
    ),
    ExcludeConstraint(
        ("dataset", "="),
        ("provider", "="),
        ("during", "&&"),
        name="one_shadow_at_a_time",
        using="gist",
        where=text("shadow"),
    ),
)
