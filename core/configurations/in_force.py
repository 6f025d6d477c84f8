"""The version and the revision of the tariff that follow from a month: SQL on ``submissions``."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from core.configurations.datasets import version_in_force
from core.database import tables
from core.engine.tariff.configuration import Status

_months = tables.submissions


def version_by_month() -> sa.ScalarSelect[Any]:
    """The id of the version in force in the month, whatever the month keeps."""
    return version_in_force(_months.c.dataset, _months.c.month)


def tariff_by_month() -> sa.ScalarSelect[Any]:
    """The id of the revision in force for provider, data set and month; drafts never."""
    members, configurations = tables.configuration_providers, tables.configurations
    organisations = tables.organisations.alias("taking_part")
    return (
        sa.select(configurations.c.id)
        .select_from(members)
        .join(configurations, configurations.c.id == members.c.configuration_id)
        .join(organisations, organisations.c.code == members.c.provider)
        .where(
            organisations.c.id == _months.c.provider_id,
            organisations.c.kind == "provider",
            members.c.dataset == _months.c.dataset,
            members.c.during.contains(_months.c.month),
            configurations.c.status != Status.DRAFT,
        )
        .limit(1)
        .correlate(_months)
        .scalar_subquery()
    )


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


def tariff_of_submission() -> sa.ColumnElement[int]:
    """The id of the revision that the month follows: the one it keeps, else by month."""
    return sa.func.coalesce(_months.c.configuration_id, tariff_by_month())
