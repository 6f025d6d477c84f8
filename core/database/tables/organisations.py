"""Organisations, their clinics, and users."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from core.database.tables.columns import metadata, moment, now, number, one_of, words
from core.vocabulary.column_values import ORGANISATION_KINDS

organisations = Table(
    "organisations",
    metadata,
    number(),
    words("kind"),
    Column("code", Text, nullable=False, unique=True, comment="ODS code or area code"),
    words("name"),
    words("address", required=False),
    Column(
        "part_of_id",
        Integer,
        ForeignKey("organisations.id"),
        comment="a quasi-organisation: a second contract of this one",
    ),
    Column("merged_into_id", Integer, ForeignKey("organisations.id"), comment="what it is now"),
    now("created_at"),
    one_of("kind", ORGANISATION_KINDS),
    CheckConstraint("id NOT IN (part_of_id, merged_into_id)", name="not_its_own"),
)

clinics = Table(
    "clinics",
    metadata,
    number(),
    Column("provider_id", Integer, ForeignKey("organisations.id"), nullable=False),
    Column("clinic_id", Text, nullable=False, comment="as the records name it"),
    words("name", required=False),
    words("address", required=False),
    Column("commissioner", Text, comment="area code of the host; null: still to be placed"),
    moment("placed_at", "since when it has its host; null: since it is known, or none"),
    now("created_at"),
    UniqueConstraint("provider_id", "clinic_id"),
)

users = Table(
    "users",
    metadata,
    number(),
    Column("subject", Text, nullable=False, unique=True, comment="sub of the OpenID provider"),
    words("email", required=False),
    words("name"),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    now("created_at"),
)
