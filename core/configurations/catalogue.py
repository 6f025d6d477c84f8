"""The data sets and tariffs of the service by name: what there is, in which version or revision."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.configurations.consequences import read_tariff
from core.configurations.datasets import Version, all_versions, get_version
from core.database import tables
from core.engine.tariff.configuration import Configuration
from core.user_errors import UserError


@dataclass(frozen=True)
class Revision:
    """A revision of a tariff, with the version of its data set that was in force when it came."""

    id: int
    name: str
    number: int
    holds_from: dt.date
    holds_until: dt.date | None  # None: it holds for no day any more, or is a draft
    why: str | None
    made_by: str | None
    imported_at: dt.datetime
    body: str
    version: Version

    @cached_property
    def configuration(self) -> Configuration:
        """The tariff, read."""
        return read_tariff(self.body, self.version.specification, name=self.name)


def version_named(connection: Connection, name: str) -> Version:
    """The version that ``swims@2`` names, or the only one of ``swims``; raises ``UserError``."""
    dataset, _, number = name.partition("@")
    versions = [each for each in all_versions(connection) if each.specification.dataset == dataset]
    if not versions:
        raise UserError(f"There is no data set {dataset!r}. `grouper datasets list` shows them.")
    fitting = [each for each in versions if number in ("", each.specification.version)]
    if len(fitting) == 1:
        return fitting[0]
    there = ", ".join(f"{dataset}@{each.specification.version}" for each in versions)
    raise UserError(f"Say which version of {dataset!r}: {there}.")


def body_of_version(connection: Connection, version: Version) -> str:
    """The YAML of a version, as it was imported."""
    datasets = tables.datasets
    query = sa.select(datasets.c.body).where(datasets.c.id == version.id)
    return str(connection.execute(query).scalar_one())


def revision_named(connection: Connection, name: str) -> Revision:
    """The revision that ``swims-2017@2`` names; without a number the latest. ``UserError``."""
    tariff, _, number = name.partition("@")
    revisions = [each for each in all_revisions(connection) if each.name == tariff]
    if not revisions:
        raise UserError(f"There is no tariff {tariff!r}. `grouper configurations list` shows them.")
    fitting = [each for each in revisions if number in ("", str(each.number))]
    if not fitting:
        there = ", ".join(f"{tariff}@{each.number}" for each in revisions)
        raise UserError(f"There is no revision {number} of {tariff!r}: {there}.")
    return fitting[-1]


def all_revisions(connection: Connection) -> list[Revision]:
    """Every revision of every tariff, drafts too: by name, then in the order in which they came."""
    configurations, members = tables.configurations, tables.configuration_providers
    users = tables.users
    until = (
        sa.select(sa.func.max(sa.func.upper(members.c.during)) - 1)
        .where(members.c.configuration_id == configurations.c.id, sa.not_(members.c.draft))
        .scalar_subquery()
    )
    query = (
        sa.select(configurations, until.label("until"), users.c.name.label("user"))
        .outerjoin(users, users.c.id == configurations.c.imported_by)
        .order_by(configurations.c.configuration, configurations.c.revision)
    )
    return [_revision(connection, row) for row in connection.execute(query).all()]


def _revision(connection: Connection, row: sa.Row[Any]) -> Revision:
    return Revision(
        id=row.id,
        name=row.configuration,
        number=row.revision,
        holds_from=row.holds_from,
        holds_until=row.until,
        why=row.why,
        made_by=row.user or row.made_by,
        imported_at=row.imported_at,
        body=row.body,
        version=get_version(connection, row.dataset_id),
    )
