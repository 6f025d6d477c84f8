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
from core.engine.tariff.configuration import Configuration


@dataclass(frozen=True)
class Due:
    """A provider's month that is not submitted, and its last day for it."""

    provider_id: int
    provider: str
    provider_name: str
    month: dt.date
    due: dt.date

    def days_left(self, today: dt.date) -> int:
        """Days until it is due; negative: late."""
        return (self.due - today).days


def last_day_for(month: dt.date, within_days: int) -> dt.date:
    """The last day on which a month is in time."""
    return _next(month) + dt.timedelta(days=within_days - 1)


def months_expected(connection: Connection, today: dt.date) -> Iterator[Due]:
    """Every month of every provider whose configuration is in force in it, up to now."""
    configurations, members = tables.configurations, tables.configuration_providers
    organisations = tables.organisations
    query = sa.select(configurations).where(configurations.c.status != "draft")
    of_configuration = (
        sa.select(organisations.c.id, organisations.c.code, organisations.c.name)
        .join(members, members.c.provider == organisations.c.code)
        .where(organisations.c.kind == "provider")
    )
    for row in connection.execute(query).all():
        days = _within_days(row.body, row.configuration)
        chosen = of_configuration.where(members.c.configuration_id == row.id)
        providers = connection.execute(chosen).all()
        for month in _months(row.starts, min(row.ends, today)):
            for provider_id, code, provider in providers:
                yield Due(provider_id, code, provider, month, last_day_for(month, days))


@lru_cache(maxsize=64)
def _within_days(body: str, name: str) -> int:
    usual = Configuration.model_fields["submit_within_days"].default
    return int(parse_document(body, name=name).data.get("submit_within_days", usual))


def _months(start: dt.date, end: dt.date) -> Iterator[dt.date]:
    """First days of months, from ``start`` to ``end``."""
    month = start if start.day == 1 else _next(start)
    while month <= end:
        yield month
        month = _next(month)


def _next(day: dt.date) -> dt.date:
    return (day.replace(day=1) + dt.timedelta(days=31)).replace(day=1)
