"""The configurations that are in force or were, as whoever is signed in may read them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.database import tables
from core.documents import parse_document
from core.engine.dataset.specification import Specification, specification_from
from core.engine.tariff.configuration import Configuration, Status, configuration_from


@dataclass(frozen=True)
class Readable:
    """A configuration with the data set that its triggers speak of."""

    configuration: Configuration
    specification: Specification


def readable_configurations(connection: Connection) -> list[Readable]:
    """Those that are no drafts, the latest first."""
    configurations, datasets = tables.configurations, tables.datasets
    query = (
        sa.select(configurations.c.configuration, configurations.c.body, datasets.c.body)
        .join(datasets, datasets.c.id == configurations.c.dataset_id)
        .where(configurations.c.status != Status.DRAFT)
        .order_by(configurations.c.starts.desc(), configurations.c.configuration)
    )
    return [_read(*row) for row in connection.execute(query)]


def names_seen(connection: Connection, scope: Scope, codes: Collection[str]) -> dict[str, str]:
    """The names of those organisations that the person knows: their own, and those they deal
    with; who keeps accounts or the service knows all."""
    found = tables.organisations
    own = {each.code for each in scope.memberships}
    everybody = scope.unlimited or None in own  # a role that is in no organisation
    known = sa.true() if everybody else sa.or_(
        found.c.code.in_([code for code in own if code is not None]),
        found.c.id.in_(sa.select(sa.func.my_counterparts())),
    )  # fmt: skip
    query = sa.select(found.c.code, found.c.name).where(found.c.code.in_(list(codes)), known)
    return dict(connection.execute(query).tuples().all())


@lru_cache(maxsize=16)
def _read(name: str, body: str, dataset: str) -> Readable:
    specification = specification_from(parse_document(dataset, name="data set"))
    configuration = configuration_from(parse_document(body, name=name), specification)
    return Readable(configuration, specification)
