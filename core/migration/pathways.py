"""Pathways, as the old service costed them: steps in their order, what they use up, what that costs
on a day. They are published as tariffs are: whoever is signed in may read them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.user_errors import UserError


@dataclass(frozen=True)
class Used:
    """What a step uses up; ``price`` is that of one unit on the day, None where there is none."""

    name: str
    unit: str | None
    quantity: Decimal
    price: Decimal | None

    @property
    def cost(self) -> Decimal:
        return self.quantity * (self.price or Decimal(0))


@dataclass(frozen=True)
class Step:
    """A step of a pathway, with the name of the one that it follows."""

    name: str
    after: str | None
    minutes: int | None
    used: tuple[Used, ...]

    @property
    def cost(self) -> Decimal:
        return sum((item.cost for item in self.used), Decimal(0))


@dataclass(frozen=True)
class Pathway:
    """A pathway on a day; a step stands after the one that it follows."""

    id: int
    name: str
    steps: tuple[Step, ...]

    @property
    def minutes(self) -> int:
        return sum(step.minutes or 0 for step in self.steps)

    @property
    def cost(self) -> Decimal:
        """Pounds, for everything it uses up; what has no price on the day counts as nothing."""
        return sum((step.cost for step in self.steps), Decimal(0))

    @property
    def unpriced(self) -> list[str]:
        """What has no price on the day."""
        used = [item for step in self.steps for item in step.used]
        return sorted({item.name for item in used if item.price is None})


@dataclass(frozen=True)
class Price:
    """A version of the price of one unit, in pounds, with its first and last day."""

    consumable: str
    unit: str | None
    version: int
    price: Decimal
    starts_on: dt.date
    ends_on: dt.date | None


def any_pathways(connection: Connection) -> bool:
    """Whether there is any pathway."""
    return bool(connection.execute(sa.select(sa.exists(sa.select(tables.pathways)))).scalar_one())


def read_pathways(connection: Connection, on: dt.date) -> list[Pathway]:
    """All pathways by name, with the prices of the day."""
    pathways, steps = tables.pathways.c, tables.pathway_steps.c
    used = _used(connection, on)
    of_pathway: dict[int, list[sa.Row[tuple[int, int | None, str, int | None]]]] = defaultdict(list)
    query = sa.select(steps.id, steps.after_id, steps.name, steps.minutes, steps.pathway_id)
    for row in connection.execute(query.order_by(steps.id)):
        of_pathway[row.pathway_id].append(row)
    named = sa.select(pathways.id, pathways.name).order_by(pathways.name, pathways.id)
    return [
        Pathway(row.id, row.name, tuple(_in_order(of_pathway[row.id], used)))
        for row in connection.execute(named)
    ]


def find_pathway(pathways: Sequence[Pathway], name_or_id: str) -> Pathway:
    """The pathway with this id or name; raises ``UserError`` that lists those that exist."""
    for pathway in pathways:
        if name_or_id.casefold() in (str(pathway.id), pathway.name.casefold()):
            return pathway
    listed = ", ".join(pathway.name for pathway in pathways) or "none yet"
    raise UserError(f"there is no pathway {name_or_id!r}; known: {listed}")


def price_versions(connection: Connection) -> list[Price]:
    """Every price, past and present, by consumable and version."""
    consumables, prices = tables.consumables, tables.consumable_prices
    query = (
        sa.select(
            consumables.c.name,
            consumables.c.unit,
            prices.c.version,
            prices.c.price,
            prices.c.starts_on,
            prices.c.ends_on,
        )
        .join(prices, prices.c.consumable_id == consumables.c.id)
        .order_by(consumables.c.name, consumables.c.id, prices.c.version)
    )
    return [Price(*row) for row in connection.execute(query)]


def _used(connection: Connection, on: dt.date) -> dict[int, tuple[Used, ...]]:
    """What each step uses up, at the newest price that holds on the day."""
    used, consumables, prices = (
        tables.step_consumables,
        tables.consumables,
        tables.consumable_prices,
    )
    price = (
        sa.select(prices.c.price)
        .where(
            prices.c.consumable_id == consumables.c.id,
            prices.c.starts_on <= on,
            sa.or_(prices.c.ends_on.is_(None), prices.c.ends_on >= on),
        )
        .order_by(prices.c.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        sa.select(used.c.step_id, consumables.c.name, consumables.c.unit, used.c.quantity, price)
        .join(consumables, consumables.c.id == used.c.consumable_id)
        .order_by(consumables.c.name, used.c.id)
    )
    by_step: dict[int, tuple[Used, ...]] = defaultdict(tuple)
    for row in connection.execute(query):
        by_step[row.step_id] = (*by_step[row.step_id], Used(*row[1:]))
    return by_step


def _in_order(
    steps: Sequence[sa.Row[tuple[int, int | None, str, int | None]]],
    used: dict[int, tuple[Used, ...]],
) -> Iterator[Step]:
    """The steps from the first on, each before those that follow it."""
    names = {step.id: step.name for step in steps}
    following: dict[int | None, list[int]] = defaultdict(list)
    for step in steps:
        following[step.after_id if step.after_id in names else None].append(step.id)
    by_id = {step.id: step for step in steps}
    waiting = following[None][::-1]
    while waiting:
        step = by_id[waiting.pop()]
        waiting += following[step.id][::-1]
        yield Step(step.name, names.get(step.after_id), step.minutes, used.get(step.id, ()))
