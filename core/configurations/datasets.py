"""The data sets of the service and their versions.

A version is in force from its first month on until the next one begins (docs/formats.md). Nothing
asks for the newest version: which one counts follows from a month, or from what names it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.engine.dataset.specification import Specification, specification_of
from core.engine.tariff.months import Month
from core.user_errors import UserError


@dataclass(frozen=True)
class Version:
    """A version of a data set with its number in the database."""

    id: int
    specification: Specification

    @property
    def title(self) -> str:
        """The title of the data set with the version, and from when it is in force."""
        since = self.specification.start
        from_month = f", from {Month.of(since).name}" if since else ""
        return f"{self.specification.title}, version {self.specification.version}{from_month}"


def version_in_force(
    dataset: sa.ColumnElement[str], month: sa.ColumnElement[dt.date]
) -> sa.ScalarSelect[Any]:
    """SQL: the id of the version in force for a data set's name and the first day of a month.

    Of two that start in one month it is the one that was imported later.
    """
    versions = tables.datasets.alias("versions")
    return (
        sa.select(versions.c.id)
        .where(
            versions.c.dataset == dataset,
            sa.or_(versions.c.starts.is_(None), versions.c.starts <= month),
        )
        .order_by(versions.c.starts.desc().nulls_last(), versions.c.id.desc())
        .limit(1)
        .correlate_except(versions)
        .scalar_subquery()
    )


def version_of_month(connection: Connection, dataset: str, month: dt.date) -> Version:
    """The version in force in a month; raises ``UserError`` where there is none."""
    query = sa.select(version_in_force(sa.literal(dataset), sa.literal(month)))
    dataset_id = connection.execute(query).scalar()
    if dataset_id is None:
        raise UserError(_none_in_force(connection, dataset, month))
    return get_version(connection, dataset_id)


def get_version(connection: Connection, dataset_id: int) -> Version:
    """A version by its number; raises ``UserError`` for an unknown one."""
    datasets = tables.datasets
    query = sa.select(datasets.c.body).where(datasets.c.id == dataset_id)
    body = connection.execute(query).scalar()
    if body is None:
        raise UserError(f"There is no version {dataset_id} of a data set.")
    return Version(dataset_id, _parsed(dataset_id, body))


def all_versions(connection: Connection) -> list[Version]:
    """Every version of every data set: by name, of each data set the latest first."""
    datasets = tables.datasets
    query = sa.select(datasets.c.id, datasets.c.body).order_by(
        datasets.c.dataset, datasets.c.starts.desc().nulls_last(), datasets.c.id.desc()
    )
    return [Version(row.id, _parsed(row.id, row.body)) for row in connection.execute(query)]


def versions_of(connection: Connection, dataset: str) -> list[Version]:
    """The versions of a data set, the latest first."""
    return [each for each in all_versions(connection) if each.specification.dataset == dataset]


def dataset_titles(connection: Connection) -> dict[str, str]:
    """The title of each data set, by its name, from its latest version."""
    titles: dict[str, str] = {}
    for version in all_versions(connection):
        titles.setdefault(version.specification.dataset, version.specification.title)
    return titles


def only_dataset(connection: Connection) -> str | None:
    """The name of the data set where the service has just one."""
    names = list(dataset_titles(connection))
    return names[0] if len(names) == 1 else None


def _none_in_force(connection: Connection, dataset: str, month: dt.date) -> str:
    starts = sa.select(sa.func.min(tables.datasets.c.starts)).where(
        tables.datasets.c.dataset == dataset
    )
    first = connection.execute(starts).scalar()
    if first is None:
        return f"The data set {dataset!r} has not been imported yet."
    return (
        f"No version of the data set {dataset!r} is in force in {Month.of(month).name}: the first "
        f"starts in {Month.of(first).name}."
    )


@lru_cache(maxsize=32)
def _parsed(dataset_id: int, body: str) -> Specification:
    return specification_of(body, name=f"data set {dataset_id}")
