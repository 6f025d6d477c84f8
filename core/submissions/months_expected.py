"""The months that providers are expected to submit, and the last day for each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy import Connection

from core.configurations.in_force import service_of
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
    configurations, members = tables.configurations, tables.configuration_providers
    organisations = tables.organisations
    query = (
        sa.select(
            configurations.c.configuration,
            configurations.c.body,
            members.c.dataset,
            service_of(members.c.dataset),
            sa.func.lower(members.c.during),
            sa.func.coalesce(sa.func.upper(members.c.during) - 1, configurations.c.ends),
            organisations.c.id,
            organisations.c.code,
            organisations.c.name,
        )
        .join(members, members.c.configuration_id == configurations.c.id)
        .join(organisations, organisations.c.code == members.c.provider)
        .where(configurations.c.status != Status.DRAFT, organisations.c.kind == "provider")
        .order_by(configurations.c.id)
    )
    for name, body, *dataset, first, last, number, code, provider in connection.execute(query):
        days = _within_days(body, name)
        for month in _whole_months(first, min(last, today)):
            due = last_day_for(month, days)
            yield DueMonth(number, code, provider, month, due, *dataset)


@lru_cache(maxsize=64)
def _within_days(body: str, name: str) -> int:
    usual = Configuration.model_fields["submit_within_days"].default
    return int(parse_document(body, name=name).data.get("submit_within_days", usual))


def _whole_months(start: dt.date, end: dt.date) -> Iterator[dt.date]:
    """The first days of months that lie between ``start`` and ``end``."""
    first = Month.of(start) if start.day == 1 else Month.of(start).plus(1)
    return (month.first for month in first.through(Month.of(end)))
