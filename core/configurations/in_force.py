"""The version and the revision of the tariff that follow from a month.

The version is SQL on ``submissions``; which tariff serves a month is the rule of the engine,
applied to what holds for the provider.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.configurations.datasets import version_in_force
from core.database import tables
from core.engine.tariff.configuration import Status
from core.engine.tariff.in_force import Holding, holding_in_force

_months = tables.submissions


def version_by_month() -> sa.ScalarSelect[Any]:
    """The id of the version in force in the month, whatever the month keeps."""
    return version_in_force(_months.c.dataset, _months.c.month)


def holdings_of(
    connection: Connection, *, provider: str | None = None
) -> dict[str, dict[str, list[Holding]]]:
    """What holds, by code of the provider and name of the data set; drafts aside."""
    configurations, members = tables.configurations, tables.configuration_providers
    query = (
        sa.select(
            members.c.provider,
            members.c.dataset,
            configurations.c.id,
            configurations.c.status,
            sa.func.lower(members.c.during),
            sa.func.coalesce(sa.func.upper(members.c.during) - 1, configurations.c.ends),
        )
        .join(configurations, configurations.c.id == members.c.configuration_id)
        .where(sa.not_(members.c.draft))
        .order_by(configurations.c.id)
    )
    if provider is not None:
        query = query.where(members.c.provider == provider)
    holdings: dict[str, dict[str, list[Holding]]] = {}
    for code, dataset, number, status, first, last in connection.execute(query):
        holding = Holding(number, Status(status), first, last)
        holdings.setdefault(code, {}).setdefault(dataset, []).append(holding)
    return holdings


def tariffs_in_force(by_dataset: Mapping[str, Iterable[Holding]], month: dt.date) -> dict[str, int]:
    """Of one provider: name of the data set to the id of the revision that serves the month."""
    serving = {name: holding_in_force(held, month) for name, held in by_dataset.items()}
    return {name: int(each.tariff) for name, each in serving.items() if each is not None}


def service_of(dataset: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The title of a data set's latest version, to tell its months from those of others; empty
    where the service has one data set alone, so that nobody sees the word."""
    datasets = tables.datasets.alias("titled")
    several = sa.select(sa.func.count(datasets.c.dataset.distinct()) > 1).scalar_subquery()
    title = (
        sa.select(datasets.c.title)
        .where(datasets.c.dataset == dataset)
        .order_by(datasets.c.starts.desc().nulls_last(), datasets.c.id.desc())
        .limit(1)
        .correlate_except(datasets)
        .scalar_subquery()
    )
    return sa.case((several, sa.func.coalesce(title, dataset)), else_="")


def version_of_submission() -> sa.ColumnElement[int]:
    """The id of the version that the month follows: the one it keeps, else by month."""
    return sa.func.coalesce(_months.c.dataset_id, version_by_month())
