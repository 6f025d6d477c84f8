"""Requests to open a submitted month again, and their decisions."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, text

from core.database.tables.columns import metadata, moment, now, number, user, words

resets = Table(
    "resets",
    metadata,
    number(),
    Column("submission_id", Integer, ForeignKey("submissions.id"), nullable=False, index=True),
    Column("run_id", Integer, ForeignKey("runs.id"), nullable=False, comment="what is submitted"),
    Column("host_id", Integer, ForeignKey("organisations.id"), nullable=False, comment="who asks"),
    words("reason"),
    user("asked_by"),
    now("asked_at"),
    Column("granted", Boolean, comment="null: not decided yet"),
    words("answer", required=False),
    user("decided_by"),
    moment("decided_at"),
    CheckConstraint("(granted IS NULL) = (decided_at IS NULL)", name="decided"),
    Index(
        "uq_resets_undecided",
        "submission_id",
        unique=True,
        postgresql_where=text("granted IS NULL"),
    ),
)
