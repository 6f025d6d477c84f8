"""The configurations that are or were in force, which every user may read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.database import tables
from core.engine.dataset.specification import Specification
from core.engine.tariff.configuration import Configuration, Status, tariff_of


@dataclass(frozen=True)
class Readable:
    """A configuration with the specification of its data set."""

    configuration: Configuration
    specification: Specification
    revision: int
    holds_from: dt.date
    why: str | None


def readable_configurations(connection: Connection) -> list[Readable]:
    """Every revision of all configurations, drafts aside: the latest first."""
    configurations, datasets = tables.configurations, tables.datasets
    query = (
        sa.select(
            configurations.c.configuration,
            configurations.c.body,
            datasets.c.body,
            configurations.c.revision,
            configurations.c.holds_from,
            configurations.c.why,
        )
        .join(datasets, datasets.c.id == configurations.c.dataset_id)
        .where(configurations.c.status != Status.DRAFT)
        .order_by(
            configurations.c.starts.desc(),
            configurations.c.configuration,
            configurations.c.revision.desc(),
        )
    )
    readable = []
    for name, body, dataset, revision, holds_from, why in connection.execute(query):
        specification, configuration = tariff_of(dataset, body, name=name)
        readable.append(Readable(configuration, specification, revision, holds_from, why))
    return readable


def names_seen(connection: Connection, scope: Scope, codes: Collection[str]) -> dict[str, str]:
    """Code to name of the organisations that the person may see: their own and their counterparts;
    administrators, operators and the service see all."""
    organisations = tables.organisations
    own = {each.code for each in scope.memberships}
    everybody = scope.unlimited or None in own  # a role that is in no organisation
    visible = sa.true() if everybody else sa.or_(
        organisations.c.code.in_([code for code in own if code is not None]),
        organisations.c.id.in_(sa.select(sa.func.my_counterparts())),
    )  # fmt: skip
    query = sa.select(organisations.c.code, organisations.c.name).where(
        organisations.c.code.in_(list(codes)), visible
    )
    return dict(connection.execute(query).tuples().all())
