"""Names from the configurations of published runs."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.documents import parse_document


def currency_names(connection: Connection, run_ids: Collection[int]) -> dict[str, str]:
    """Code to name of every currency that the runs could charge."""
    runs, configurations = tables.runs, tables.configurations
    query = (
        sa.select(configurations.c.body)
        .distinct()
        .join(runs, runs.c.configuration_id == configurations.c.id)
        .where(runs.c.id.in_(run_ids))
    )
    names: dict[str, str] = {}
    for body in connection.execute(query).scalars():
        names |= _names(body)
    return names


@lru_cache(maxsize=16)
def _names(body: str) -> dict[str, str]:
    data = parse_document(body, name="configuration").data
    return {str(each["code"]): str(each["name"]) for each in data.get("currencies", [])}
