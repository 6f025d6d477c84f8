"""The months that providers are expected to submit, and the last day for each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy import Connection

from core.configurations.in_force import holdings_of, service_of
from core.database import tables
from core.documents import parse_document
from core.engine.tariff.configuration import Configuration
from core.engine.tariff.in_force import Holding, holding_in_force
from core.engine.tariff.months import Month


@dataclass(frozen=True)
class DueMonth:
    """A month that a provider is expected to submit, with its last day in time."""

    provider_id: int
    provider: str
    provider_name: str
    month: dt.date
    due: dt.date
    dataset: str
    service: str  # title of the data set; empty where there is one data set alone

    def days_left(self, today: dt.date) -> int:
        """Days until it is due; negative: late."""
        return (self.due - today).days


def last_day_for(month: dt.date, within_days: int) -> dt.date:
    """The last day on which a month is submitted in time."""
    return Month.of(month).last + dt.timedelta(days=within_days)


def expected_months(connection: Connection, today: dt.date) -> Iterator[DueMonth]:
    """Every month up to ``today`` of every provider with a configuration in force in it."""
    configurations, organisations = tables.configurations, tables.organisations
    bodies = {
        row.id: row
        for row in connection.execute(
            sa.select(
                configurations.c.id,
                configurations.c.configuration,
                configurations.c.body,
                service_of(tables.datasets.c.dataset).label("service"),
            ).join(tables.datasets, tables.datasets.c.id == configurations.c.dataset_id)
        )
    }
    held = holdings_of(connection)
    providers = sa.select(organisations.c.id, organisations.c.code, organisations.c.name).where(
        organisations.c.kind == "provider", organisations.c.code.in_(list(held))
    )
    for number, code, name in connection.execute(providers.order_by(organisations.c.id)).all():
        for dataset, holdings in held[code].items():
            for month, tariff in _served(holdings, today):
                row = bodies[tariff]
                due = last_day_for(month, _within_days(row.body, row.configuration))
                yield DueMonth(number, code, name, month, due, dataset, row.service)


def _served(holdings: list[Holding], today: dt.date) -> Iterator[tuple[dt.date, int]]:
    """The months up to ``today`` that a tariff serves, each with the tariff."""
    first = Month.of(min(each.first for each in holdings))
    last = Month.of(min(max(each.last for each in holdings), today))
    for month in first.through(last):
        serving = holding_in_force(holdings, month.first)
        if serving is not None:
            yield month.first, int(serving.tariff)


@lru_cache(maxsize=64)
def _within_days(body: str, name: str) -> int:
    usual = Configuration.model_fields["submit_within_days"].default
    return int(parse_document(body, name=name).data.get("submit_within_days", usual))
