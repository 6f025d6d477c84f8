"""Pathways of the old service: steps, consumables, and versions of prices."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    Numeric,
    Table,
    UniqueConstraint,
)

from core.database.tables.columns import metadata, number, words


def _of(table: str, name: str, *, required: bool = True, index: bool = False) -> Column[int]:
    """A reference whose rows are deleted with the row that they refer to."""
    parent = ForeignKey(f"{table}.id", ondelete="CASCADE")
    return Column(name, Integer, parent, nullable=not required, index=index)


pathways = Table(
    "pathways",
    metadata,
    number(),
    words("name"),
    comment="ways of patients through a clinic, as the old service costed them",
)
pathway_steps = Table(
    "pathway_steps",
    metadata,
    number(),
    _of("pathways", "pathway_id", index=True),
    _of("pathway_steps", "after_id", required=False, index=True),
    words("name"),
    Column("minutes", Integer),
)
consumables = Table("consumables", metadata, number(), words("name"), words("unit", required=False))
step_consumables = Table(
    "step_consumables",
    metadata,
    number(),
    _of("pathway_steps", "step_id"),
    _of("consumables", "consumable_id", index=True),
    Column("quantity", Numeric, nullable=False),
    UniqueConstraint("step_id", "consumable_id"),
)
consumable_prices = Table(
    "consumable_prices",
    metadata,
    number(),
    _of("consumables", "consumable_id"),
    Column("version", Integer, nullable=False),
    Column("price", Numeric(10, 2), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, comment="the last day; null: open"),
    UniqueConstraint("consumable_id", "version"),
    CheckConstraint("ends_on >= starts_on", name="in_order"),
)
