"""The configurations that are in force or were, as whoever is signed in may read them."""

from __future__ import annotations

from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.datasets.specification import specification_from
from core.documents import parse_document
from core.tariffs.configuration import Configuration, configuration_from


def readable_configurations(connection: Connection) -> list[Configuration]:
    """Those that are no drafts, the latest first."""
    configurations, datasets = tables.configurations, tables.datasets
    query = (
        sa.select(configurations.c.configuration, configurations.c.body, datasets.c.body)
        .join(datasets, datasets.c.id == configurations.c.dataset_id)
        .where(configurations.c.status != "draft")
        .order_by(configurations.c.starts.desc(), configurations.c.configuration)
    )
    return [_read(*row) for row in connection.execute(query)]


@lru_cache(maxsize=16)
def _read(name: str, body: str, dataset: str) -> Configuration:
    specification = specification_from(parse_document(dataset, name="data set"))
    return configuration_from(parse_document(body, name=name), specification)
