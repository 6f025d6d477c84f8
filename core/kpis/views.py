"""The views that queries of indicators read: one submission's episodes, records and charges.

Each data set has a schema with these views, with readable names and types. The table
``kpi_sessions`` says which submission a session sees, and is written by the process that measures;
the role that carries out the query can read the views alone, so it cannot change that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from psycopg import sql
from sqlalchemy import Connection, func, inspect, select

from core.database.access import FUNCTIONS
from core.database.engine import driver_cursor
from core.database.locks import hold_until_end
from core.database.records import records_table
from core.engine.calculation.groups import UNIT
from core.engine.dataset.fields import Field, query_name
from core.engine.dataset.specification import Specification

LOCK = "views of indicators"
_TYPES = {"date": "date", "integer": "integer"}


def schema_name(dataset: str) -> str:
    """The schema that holds the views of a data set."""
    return "kpi_" + dataset.replace("-", "_")


def episodes_table(specification: Specification) -> str:
    """The table behind the view ``episodes``, with text columns named as in the data set."""
    return "episodes_" + specification.dataset.replace("-", "_")


def make_views(connection: Connection, versions: Sequence[Specification], reader: str) -> None:
    """Creates the table and views of a data set, or creates them again where a field was added.

    ``versions`` are those of the data set, the earliest first; ``reader`` is the role that may read
    the views. Idempotent, in the caller's transaction.
    """
    hold_until_end(connection, LOCK)
    dataset = versions[-1].dataset
    for specification in versions:
        _make_table(connection, specification)
    schema = sql.Identifier(schema_name(dataset))
    role = sql.Identifier(reader)
    _run(connection, sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
    _run(connection, sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, role))
    for function in FUNCTIONS["kpi"]:
        allowed = sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}")
        _run(connection, allowed.format(sql.SQL(function), role))
    for name, query in _queries(versions):
        view = sql.Identifier(schema_name(dataset), name)
        # A view can be replaced by one with more columns at its end only.
        _run(connection, sql.SQL("DROP VIEW IF EXISTS {}").format(view))
        create = sql.SQL("CREATE VIEW {} WITH (security_barrier) AS {}")
        _run(connection, create.format(view, query))
        _run(connection, sql.SQL("GRANT SELECT ON {} TO {}").format(view, role))


def views_are_made(connection: Connection, specification: Specification, reader: str) -> bool:
    """Whether the views have every field of the data set, and ``reader`` may read them.

    A database restored under another name has other roles.
    """
    schema = schema_name(specification.dataset)
    if not inspect(connection).has_table("episodes", schema=schema):
        return False
    may_read = func.has_table_privilege(reader, f"{schema}.episodes", "SELECT")
    if not connection.execute(select(may_read)).scalar_one():
        return False
    present = {column["name"] for column in inspect(connection).get_columns("episodes", schema)}
    return {query_name(field.name) for field in specification.fields} <= present


def _make_table(connection: Connection, specification: Specification) -> None:
    name = episodes_table(specification)
    columns = [sql.SQL("{} text").format(sql.Identifier(c)) for c in specification.columns]
    create = sql.SQL(
        "CREATE TABLE IF NOT EXISTS {} (run_id integer NOT NULL, records integer NOT NULL, {})"
    )
    table = sql.Identifier(name)
    _run(connection, create.format(table, sql.SQL(", ").join(columns)))
    for column in columns:
        _run(
            connection, sql.SQL("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {}").format(table, column)
        )
    index = sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} USING brin (run_id)")
    _run(connection, index.format(sql.Identifier(f"ix_{name}_run_id"), table))


def _queries(versions: Sequence[Specification]) -> Iterator[tuple[str, sql.Composable]]:
    specification = versions[-1]
    columns = sql.SQL(", ").join(map(_column, _fields_of_all(versions)))
    clinic, patient, date = _keys(versions)
    cut = sql.SQL(_CUT).format(clinic=clinic, patient=patient, date=date)
    yield (
        "episodes",
        sql.SQL("SELECT {}, records FROM {} WHERE run_id = (SELECT kpi_run()) AND {}").format(
            columns, sql.Identifier(episodes_table(specification)), cut
        ),
    )
    yield (
        "records",
        sql.SQL(
            "SELECT {}, row, files.position AS file FROM {} found "
            "JOIN files ON files.id = found.file_id AND files.state = 'ready' "
            "JOIN runs ON runs.submission_id = files.submission_id "
            "WHERE runs.id = (SELECT kpi_run()) AND {}"
        ).format(columns, sql.Identifier(records_table(specification)), cut),
    )
    yield "charges", sql.SQL(_CHARGES)


_CUT = """
    {patient} NOT IN (SELECT patient FROM kpi_left_out WHERE pid = pg_backend_pid())
    AND ((SELECT kpi_commissioners()) IS NULL OR ({clinic}, {patient}, {date}::date) IN (
        SELECT clinic_id, patient_id, attendance_date FROM charges
        WHERE run_id = (SELECT kpi_run())
            AND commissioner = ANY ((SELECT kpi_commissioners())::text[])))
"""
"""What a trial shows of a run: the episodes that are charged to the author's own areas. Measuring
what is published shows all."""


_CHARGES = """
    SELECT charges.clinic_id, charges.patient_id, charges.attendance_date, charges.currency,
        charges.rate_type, charges.rate_pence / 100.0 AS rate, charges.factor,
        charges.amount_pence / 100.0 AS amount, charges.commissioner, charges.basis,
        clinics.commissioner AS host
    FROM charges
    JOIN runs ON runs.id = charges.run_id
    JOIN submissions ON submissions.id = runs.submission_id
    LEFT JOIN clinics ON clinics.provider_id = submissions.provider_id
        AND clinics.clinic_id = charges.clinic_id
    WHERE charges.run_id = (SELECT kpi_run())
        AND charges.patient_id NOT IN (
            SELECT patient FROM kpi_left_out WHERE pid = pg_backend_pid())
        AND ((SELECT kpi_commissioners()) IS NULL
            OR charges.commissioner = ANY ((SELECT kpi_commissioners())::text[]))
"""


def _fields_of_all(versions: Sequence[Specification]) -> list[tuple[Field, ...]]:
    """The fields of all versions, in the order in which they came; each as its versions have it."""
    fields: dict[str, list[Field]] = {}
    for specification in versions:
        for field in specification.fields:
            fields.setdefault(query_name(field.name), []).append(field)
    return [tuple(each) for each in fields.values()]


def _keys(versions: Sequence[Specification]) -> Iterator[sql.Composable]:
    """Clinic, patient and date, whatever each version calls them."""
    for names in zip(*(each.key_columns for each in versions), strict=True):
        distinct = map(sql.Identifier, dict.fromkeys(names))
        yield sql.SQL("coalesce({})").format(sql.SQL(", ").join(distinct))


def _column(field: tuple[Field, ...]) -> sql.Composable:
    """A field as the views show it: all slots of a repeating one, and what the records of an
    episode hold in a field of a group, as an array without gaps.

    Where its versions have different types, it is text.
    """
    alias = sql.Identifier(query_name(field[-1].name))
    columns = list(dict.fromkeys(column for each in field for column in each.columns))
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    types = {_TYPES.get(each.type) for each in field}
    kind = types.pop() if len(types) == 1 else None
    if any(each.repeat is not None or each.group is not None for each in field):
        return _array(field, columns, kind or "text", alias)
    column = names if len(columns) == 1 else sql.SQL("coalesce({})").format(names)
    if kind is not None:
        return sql.SQL("{}::{} AS {}").format(column, sql.SQL(kind), alias)
    return sql.SQL("{} AS {}").format(column, alias)


def _array(
    field: tuple[Field, ...], columns: list[str], kind: str, alias: sql.Identifier
) -> sql.Composable:
    units = {column for each in field if each.group is not None for column in each.columns}
    slots = [sql.Identifier(column) for column in columns if column not in units]
    parts = [sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(slots))] if slots else []
    parts += [
        sql.SQL("coalesce(string_to_array({}, {}), '{{}}')").format(
            sql.Identifier(column), sql.Literal(UNIT)
        )
        for column in columns
        if column in units
    ]
    united = sql.SQL(" || ").join(parts)
    return sql.SQL("array_remove({}, NULL)::{}[] AS {}").format(united, sql.SQL(kind), alias)


def _run(connection: Connection, statement: sql.Composed) -> None:
    with driver_cursor(connection) as cursor:
        cursor.execute(statement)
