"""The merged episodes of a run as rows, for queries: written once, chunk by chunk."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import Connection

from core.database import tables
from core.database.copying import copy_table
from core.database.engine import driver_cursor
from core.engine.calculation.episodes import merge_records, with_groups
from core.engine.calculation.groups import UNIT
from core.kpis.views import episodes_table
from core.submissions.commands.run_chunks import read_records
from core.submissions.commands.run_inputs import RunInputs


def chunks_to_write(connection: Connection, run: RunInputs) -> list[int]:
    """The chunks of the run whose episodes are not written yet."""
    done = tables.kpi_chunks
    query = sa.select(done.c.chunk).where(done.c.run_id == run.run_id)
    written = set(connection.execute(query).scalars())
    return [chunk for chunk in range(run.chunks) if chunk not in written]


def write_episodes(connection: Connection, run: RunInputs, chunk: int) -> int:
    """Merges the records of a chunk and writes the episodes; returns how many."""
    columns = list(run.specification.columns)
    records = read_records(connection, run, chunk, columns)
    merged = merge_records(records, run.specification)
    episodes = with_groups(merged, run.specification, between=UNIT)
    run_id = pa.repeat(pa.scalar(run.run_id, pa.int32()), episodes.num_rows)
    rows = episodes.select([*columns, "records"]).append_column("run_id", run_id)
    with driver_cursor(connection) as cursor:
        copy_table(cursor, episodes_table(run.specification), rows.column_names, rows)
    connection.execute(tables.kpi_chunks.insert().values(run_id=run.run_id, chunk=chunk))
    return int(episodes.num_rows)


def delete_episodes(connection: Connection, table: str, run_ids: Collection[int]) -> None:
    """Deletes the episodes of runs that are no longer measured."""
    if not run_ids:
        return
    statement = sql.SQL("DELETE FROM {} WHERE run_id = ANY(%s)").format(sql.Identifier(table))
    with driver_cursor(connection) as cursor:
        cursor.execute(statement, (list(run_ids),))
    done = tables.kpi_chunks
    connection.execute(done.delete().where(done.c.run_id.in_(run_ids)))
