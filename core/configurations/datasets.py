"""The data sets of the service."""

from __future__ import annotations

from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.engine.dataset.specification import Specification, specification_of
from core.user_errors import UserError


def current_specification(connection: Connection) -> Specification:
    """The specification that files are checked against."""
    datasets = tables.datasets
    query = sa.select(datasets.c.id, datasets.c.body).order_by(datasets.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    if row is None:
        raise UserError("No data set has been imported yet.")
    return _parsed(row.id, row.body)


def dataset_titles(connection: Connection) -> dict[str, str]:
    """The title of each data set, by its name, from its newest version."""
    datasets = tables.datasets
    query = (
        sa.select(datasets.c.id, datasets.c.dataset, datasets.c.body)
        .distinct(datasets.c.dataset)
        .order_by(datasets.c.dataset, datasets.c.id.desc())
    )
    return {row.dataset: _parsed(row.id, row.body).title for row in connection.execute(query)}


@lru_cache(maxsize=8)
def _parsed(dataset_id: int, body: str) -> Specification:
    return specification_of(body, name=f"data set {dataset_id}")
