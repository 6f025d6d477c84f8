"""The months that providers are expected to submit, and the last day for each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.documents import parse_document
from core.engine.tariff.configuration import Configuration, Status
from core.engine.tariff.months import Month


@dataclass(frozen=True)
class DueMonth:
    """A month that a provider is expected to submit, with its last day in time."""

    provider_id: int
    provider: str
    provider_name: str
    month: dt.date
    due: dt.date

    def days_left(self, today: dt.date) -> int:
        """Days until it is due; negative: late."""
        return (self.due - today).days


def last_day_for(month: dt.date, within_days: int) -> dt.date:
    """The last day on which a month is submitted in time."""
    return Month.of(month).last + dt.timedelta(days=within_days)


def expected_months(connection: Connection, today: dt.date) -> Iterator[DueMonth]:
    """Every month up to ``today`` of every provider with a configuration in force in it."""
    configurations, members = tables.configurations, tables.configuration_providers
    organisations = tables.organisations
    query = sa.select(configurations).where(configurations.c.status != Status.DRAFT)
    of_configuration = (
        sa.select(organisations.c.id, organisations.c.code, organisations.c.name)
        .join(members, members.c.provider == organisations.c.code)
        .where(organisations.c.kind == "provider")
    )
    for row in connection.execute(query).all():
        days = _within_days(row.body, row.configuration)
        chosen = of_configuration.where(members.c.configuration_id == row.id)
        providers = connection.execute(chosen).all()
        for month in _whole_months(row.starts, min(row.ends, today)):
            for provider_id, code, provider in providers:
                yield DueMonth(provider_id, code, provider, month, last_day_for(month, days))


@lru_cache(maxsize=64)
def _within_days(body: str, name: str) -> int:
    usual = Configuration.model_fields["submit_within_days"].default
    return int(parse_document(body, name=name).data.get("submit_within_days", usual))


def _whole_months(start: dt.date, end: dt.date) -> Iterator[dt.date]:
    """The first days of months that lie between ``start`` and ``end``."""
    first = Month.of(start) if start.day == 1 else Month.of(start).plus(1)
    return (month.first for month in first.through(Month.of(end)))
