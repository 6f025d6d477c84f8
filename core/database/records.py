"""The records of a data set: one wide table, a text column for each column of its layout.

Measured against rows of attributes and jsonb, one wide table is several times smaller and faster
to write and to read (docs/decisions/0005-brin-for-bulk-tables.md).
"""

from __future__ import annotations

from psycopg import sql
from sqlalchemy import Connection, func, inspect, select

from core.database.engine import driver_cursor
from core.database.locks import hold_until_end
from core.database.policies import protect_records
from core.engine.dataset.specification import Specification
from core.settings import settings

PREFIX = "records_"
PLACE_COLUMNS = ("file_id", "chunk", "bucket", "row", "in_error")
"""The technical columns before those of the standard layout: the origin of a record."""
LOCK = "tables of records"  # two files of a new data set may be the first at once


def records_table(specification: Specification) -> str:
    """The name of the table that holds the records of a data set, all versions of it."""
    return PREFIX + specification.dataset.replace("-", "_")


def create_records_table(connection: Connection, specification: Specification) -> str:
    """Creates the table, or adds the columns of a new version; returns the table's name.

    Idempotent, in the caller's transaction.
    """
    name = records_table(specification)
    hold_until_end(connection, LOCK)
    if not inspect(connection).has_table(name):
        _run(connection, _create(name, specification))
        _run(connection, _index(name))
        protect_records(connection, name, settings())
        return name
    present = {column["name"] for column in inspect(connection).get_columns(name)}
    for column in specification.columns:
        if column not in present:
            _run(connection, _add(name, column))
    return name


def place_index(name: str) -> str:
    """The index of a records table by file and bucket."""
    return f"ix_{name}_place"


def summarise(connection: Connection, index: str) -> None:
    """Summarises new pages in a BRIN index; before that, every query reads them all."""
    connection.execute(select(func.brin_summarize_new_values(index)))


def _create(name: str, specification: Specification) -> sql.Composed:
    return sql.SQL(
        "CREATE TABLE {} (file_id integer NOT NULL, chunk integer NOT NULL, "
        "bucket smallint NOT NULL, row integer NOT NULL, in_error boolean NOT NULL, {})"
    ).format(
        sql.Identifier(name),
        sql.SQL(", ").join(
            sql.SQL("{} text").format(sql.Identifier(column)) for column in specification.columns
        ),
    )


def _index(name: str) -> sql.Composed:
    # A chunk is written in the order of its buckets, so a few pages hold few of them
    # (decisions/0005).
    return sql.SQL(
        "CREATE INDEX {} ON {} USING brin "
        "(file_id int4_minmax_multi_ops, bucket int2_minmax_multi_ops) "
        "WITH (pages_per_range = 8)"
    ).format(sql.Identifier(place_index(name)), sql.Identifier(name))


def _add(name: str, column: str) -> sql.Composed:
    return sql.SQL("ALTER TABLE {} ADD COLUMN {} text").format(
        sql.Identifier(name), sql.Identifier(column)
    )


def _run(connection: Connection, statement: sql.Composed) -> None:
    with driver_cursor(connection) as cursor:
        cursor.execute(statement)
