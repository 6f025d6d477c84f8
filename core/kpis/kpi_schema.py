"""The database objects of indicators: views are created, old episodes deleted."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy import Connection

from core.configurations.datasets import versions_of
from core.database import tables
from core.database.roles import make_roles
from core.engine.dataset.specification import Specification, specification_of
from core.kpis.episodes import delete_episodes
from core.kpis.views import episodes_table, make_views, views_are_made
from core.settings import settings
from core.vocabulary.states.submissions import RunState

KEPT_DAYS = 40
"""The days for which episodes are kept, so that trials need not merge records again."""


def create_kpi_schema(connection: Connection, specification: Specification) -> None:
    """Creates the views that queries of this data set read, unless they exist.

    They have the fields of all its versions, so that months of each can be measured.
    """
    reader = make_roles(connection, settings())["kpi"]
    latest_first = versions_of(connection, specification.dataset)
    versions = [each.specification for each in reversed(latest_first)] or [specification]
    # Of several versions a field may have another type now, which the columns do not show.
    if len(versions) > 1 or not views_are_made(connection, specification, reader):
        make_views(connection, versions, reader)


def delete_old_episodes(connection: Connection, now: dt.datetime) -> int:
    """Deletes the episodes of runs that are replaced or long published; returns how many runs."""
    chunks, runs = tables.kpi_chunks, tables.runs
    old = now - dt.timedelta(days=KEPT_DAYS)
    query = (
        sa.select(chunks.c.run_id)
        .distinct()
        .join(runs, runs.c.id == chunks.c.run_id)
        .where((runs.c.state != RunState.PUBLISHED) | (runs.c.finished_at < old))
    )
    run_ids = connection.execute(query).scalars().all()
    bodies = connection.execute(sa.select(tables.datasets.c.body)).scalars().all()
    names = {episodes_table(specification_of(body)) for body in bodies}
    for name in sorted(names):
        if sa.inspect(connection).has_table(name):
            delete_episodes(connection, name, run_ids)
    return len(run_ids)
