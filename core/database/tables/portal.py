"""Confirmed warnings and chosen headings of providers."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from core.database.tables.columns import metadata, now, user

warning_confirmations = Table(
    "warning_confirmations",
    metadata,
    Column("file_id", Integer, ForeignKey("files.id"), primary_key=True, autoincrement=False),
    Column("code", Text, primary_key=True),
    Column("field", Text, primary_key=True, comment="empty: the file as a whole"),
    Column("value", Text, primary_key=True, comment="empty: blank"),
    user("confirmed_by"),
    now("confirmed_at"),
)

heading_choices = Table(
    "heading_choices",
    metadata,
    Column(
        "provider_id",
        Integer,
        ForeignKey("organisations.id"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("dataset", Text, primary_key=True, server_default="", comment="name of the data set"),
    Column(
        "dataset_id",
        Integer,
        ForeignKey("datasets.id"),
        comment="version that it was chosen under; null: not known",
    ),
    Column(
        "heading",
        Text,
        primary_key=True,
        comment="without case, white space and signs, as headings are matched",
    ),
    Column("column", Text, comment="of the standard layout; null: left out"),
    user("chosen_by"),
    now("chosen_at"),
)
