"""The data sets of a provider's month: those of the tariffs in which it takes part."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.configurations.datasets import only_dataset
from core.configurations.in_force import holdings_of, tariffs_in_force
from core.database import tables
from core.engine.tariff.months import Month
from core.user_errors import UserError


def datasets_in_force(connection: Connection, provider_id: int, month: dt.date) -> Sequence[str]:
    """The names of the data sets in whose tariffs the provider takes part in the month."""
    organisations = tables.organisations
    query = sa.select(organisations.c.code).where(
        organisations.c.id == provider_id, organisations.c.kind == "provider"
    )
    code = connection.execute(query).scalar()
    if code is None:
        return []
    return sorted(tariffs_in_force(holdings_of(connection, provider=code).get(code, {}), month))


def dataset_of_month(
    connection: Connection, provider_id: int, month: dt.date, *, chosen: str | None = None
) -> str:
    """The name of the data set of a provider's month; ``chosen`` where it takes part in several.

    Without a tariff it is that of the month as it was begun, or the only one that there is. Raises
    ``UserError`` where it does not follow, with the names to choose from.
    """
    in_force = datasets_in_force(connection, provider_id, month)
    begun = _begun(connection, provider_id, month)
    known = [*in_force, *(name for name in begun if name not in in_force)]
    if chosen is not None:
        if chosen in known or (not in_force and chosen == only_dataset(connection)):
            return chosen
        offered = ", ".join(known) or "none"
        raise UserError(
            f"The provider has no tariff of the data set {chosen!r} in {Month.of(month).name}; "
            f"it has: {offered}."
        )
    candidates = in_force or begun
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise UserError(
            f"The provider has several data sets in {Month.of(month).name}: "
            f"{', '.join(candidates)}. Say which one (--dataset)."
        )
    only = only_dataset(connection)
    if only is None:
        raise UserError(
            f"No tariff of the provider is in force in {Month.of(month).name}, so no data set "
            "follows. Import the tariff first (`grouper import`)."
        )
    return only


def _begun(connection: Connection, provider_id: int, month: dt.date) -> Sequence[Any]:
    months = tables.submissions
    query = sa.select(months.c.dataset).where(
        months.c.provider_id == provider_id, months.c.month == month, months.c.dataset != ""
    )
    return connection.execute(query.order_by(months.c.dataset)).scalars().all()
