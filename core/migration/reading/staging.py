"""Reads the rows of a table that are new, changed or faulty into the temporary table
``migration_work``: their converted values, the rows they refer to, and their faults.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from core.migration.reading.mapping import Column, Table
from core.migration.reading.transforms import literal, reading, text

GOOD = "cardinality(w.problems) = 0"
PARENT_HERE = "p.local_id IS NOT NULL AND p.local_table IS NOT NULL AND p.gone_at IS NULL"


def stage(connection: Connection, name: str, table: Table, context: dict[str, object]) -> None:
    """Creates ``migration_work`` for the rest of the transaction, with all faults.

    ``context`` holds the lists that rows are checked against (``authorities``, ``fields``).
    """
    connection.execute(sa.text("DROP TABLE IF EXISTS migration_work"))
    connection.execute(sa.text(_statement(name, table)), {"table": name, **context})
    connection.execute(sa.text("CREATE INDEX ON migration_work (legacy_id)"))
    _repeated_keys(connection, name, table)
    own = table.self_reference(name)
    if own is not None:
        _check_self_references(connection, name, *own)


def columns_here(table: Table) -> list[str]:
    """The columns of our table that the mapping fills."""
    named = [
        definition.into for definition in table.columns.values() if definition.into is not None
    ]
    return [*named, *table.constants]


def _statement(name: str, table: Table) -> str:
    own = table.self_reference(name)
    selected = [
        "r.id AS row_id, r.legacy_id, r.checksum, r.imported IS NULL AS new, r.local_id",
        *(f"{_value(name, column, definition)} AS {definition.into}"
          for column, definition in table.columns.items() if definition.into),
        *(f"{literal(value)} AS {column}" for column, value in table.constants.items()),
        f"{reading(*own).value if own else 'CAST(NULL AS bigint)'} AS self_id",
        f"{f'p_{table.bulk}.local_id' if table.bulk else 'CAST(NULL AS bigint)'} AS parent_id",
        f"array_remove(CAST(ARRAY[{', '.join(_problems(name, table))}] AS jsonb[]), NULL) "
        "AS problems",
    ]  # fmt: skip
    joins = [
        _join(column, definition)
        for column, definition in table.references.items()
        if definition.to != name
    ]
    return (
        f"CREATE TEMP TABLE migration_work ON COMMIT DROP AS SELECT {', '.join(selected)} "
        f"FROM legacy_rows r {' '.join(joins)} WHERE r.legacy_table = :table "
        "AND r.gone_at IS NULL AND r.imported IS DISTINCT FROM r.checksum"
    )


def _value(name: str, column: str, definition: Column) -> str:
    if definition.kind != "reference":
        return reading(column, definition).value
    return "CAST(NULL AS bigint)" if definition.to == name else f"p_{column}.local_id"


def reference_of(column: str, definition: Column) -> str:
    """SQL for the id in the old service that a row ``r`` refers to."""
    return reading(column, definition).value


def _join(column: str, definition: Column) -> str:
    assembled = "AND p.local_table <> 'legacy_rows'" if definition.assembled else ""
    condition = f"{PARENT_HERE} {assembled}".replace("p.", f"p_{column}.")
    return (
        f"LEFT JOIN legacy_rows p_{column} "
        f"ON p_{column}.legacy_table = {literal(str(definition.to))} "
        f"AND p_{column}.legacy_id = {reference_of(column, definition)} AND {condition}"
    )


def _problems(name: str, table: Table) -> list[str]:
    twice = "r.checksum <> repeat(left(r.checksum, 32), length(r.checksum) / 32)"
    whole_row = (("r.legacy_id < 0", "no-id"), (twice, "twice"))
    cases = [
        f"CASE WHEN {condition} THEN {_problem('id', code)} END" for condition, code in whole_row
    ]
    for column, definition in table.columns.items():
        faults = [
            f"WHEN {condition} THEN {_problem(column, code)}"
            for condition, code in reading(column, definition).faults
        ]
        if definition.kind == "reference" and definition.to != name:
            faults.append(
                f"WHEN {text(column)} IS NOT NULL AND p_{column}.id IS NULL "
                f"THEN {_problem(column, 'orphan', _parent(column, definition))}"
            )
        cases.append(f"CASE {' '.join(faults)} END")
    return cases


def _parent(column: str, definition: Column) -> str:
    return f"{literal(f'{definition.to} ')} || {text(column)}"


def _problem(column: str, code: str, detail: str = "CAST(NULL AS text)") -> str:
    return (
        f"jsonb_build_object('column', {literal(column)}, 'code', {literal(code)}, "
        f"'detail', {detail})"
    )


def add_problem(
    connection: Connection, column: str, code: str, detail: str, where: str, **parameters: object
) -> None:
    """Notes a fault of good rows of ``migration_work`` (``w``); ``detail``, ``where`` are SQL."""
    connection.execute(
        sa.text(
            f"UPDATE migration_work w SET problems = problems || {_problem(column, code, detail)} "
            f"WHERE {GOOD} AND ({where})"
        ),
        parameters,
    )


def add_duplicates(
    connection: Connection,
    name: str,
    column: str,
    key: str,
    where: str = "true",
    **parameters: object,
) -> None:
    """Of rows with the same ``key`` (SQL over ``o.body``) the imported or the oldest one stays;
    the others at work get a problem."""
    connection.execute(sa.text("DROP TABLE IF EXISTS migration_twins"))
    connection.execute(
        sa.text(
            "CREATE TEMP TABLE migration_twins ON COMMIT DROP AS SELECT * FROM (SELECT o.id, "
            "first_value(o.id) OVER same AS first, first_value(o.legacy_id) OVER same AS legacy_id "
            "FROM legacy_rows o LEFT JOIN migration_work w ON w.row_id = o.id "
            f"WHERE o.legacy_table = {literal(name)} AND o.gone_at IS NULL "
            f"AND CASE WHEN w.row_id IS NULL THEN o.imported IS NOT NULL ELSE {GOOD} END "
            f"WINDOW same AS (PARTITION BY {key} ORDER BY o.imported IS NULL, o.legacy_id)) found "
            "WHERE id <> first AND EXISTS (SELECT FROM migration_work)"
        )
    )
    twin = "(SELECT s.legacy_id FROM migration_twins s WHERE s.id = w.row_id)"
    detail = f"{literal(f'{name} ')} || {twin}"
    add_problem(
        connection, column, "same", detail, f"({where}) AND {twin} IS NOT NULL", **parameters
    )


def _repeated_keys(connection: Connection, name: str, table: Table) -> None:
    """Of two rows with the same key here, the imported or the older one stays."""
    if not table.key:
        return
    equal = " AND ".join(f"t.{column} = w.{column}" for column in table.key)
    column = next(
        (c for c, definition in table.columns.items() if definition.into == table.key[-1]), "id"
    )
    here = (
        f"SELECT o.legacy_id FROM {table.into} t LEFT JOIN legacy_rows o "
        f"ON o.legacy_table = {literal(name)} AND o.local_id = t.id AND o.local_table = "
        f"{literal(str(table.into))} WHERE {equal} AND t.id IS DISTINCT FROM w.local_id"
    )
    detail = f"{literal(f'{name} ')} || (SELECT min(h.legacy_id) FROM ({here}) h)"
    taken_by_row = f"EXISTS (SELECT FROM ({here}) h WHERE h.legacy_id IS NOT NULL)"
    add_problem(connection, column, "same", detail, taken_by_row)
    if not table.adopt:
        add_problem(connection, column, "taken", "NULL", f"EXISTS ({here})")
    same = equal.replace("t.", "o.")
    older = (
        f"SELECT min(o.legacy_id) FROM migration_work o WHERE {same} "
        "AND cardinality(o.problems) = 0 "
        "AND (o.local_id IS NULL, o.legacy_id) < (w.local_id IS NULL, w.legacy_id)"
    )
    add_problem(
        connection, column, "same", f"{literal(f'{name} ')} || ({older})", f"({older}) IS NOT NULL"
    )


def _check_self_references(
    connection: Connection, name: str, column: str, definition: Column
) -> None:
    """Notes faults of references within the table: rows below a missing row wait with it.

    Where loops are refused, rows that no root reaches are faulty. Where loops are kept, only rows
    below a missing one are left out; the rows of a loop can refer to each other, because all keys
    are assigned before the first row is written.
    """
    detail = f"{literal(f'{name} ')} || w.self_id"
    add_problem(connection, column, "orphan", detail, f"w.legacy_id IN ({_hanging(name)})")
    if definition.loops == "refused":
        add_problem(connection, column, "loop", "NULL", f"w.legacy_id NOT IN ({_reached(name)})")


def _here(name: str, of: str) -> str:
    """SQL: the row that ``of`` refers to is imported already and not at work."""
    return (
        f"(EXISTS (SELECT FROM legacy_rows p WHERE p.legacy_table = {literal(name)} "
        f"AND p.legacy_id = {of}.self_id AND {PARENT_HERE}) "
        f"AND NOT EXISTS (SELECT FROM migration_work a WHERE a.legacy_id = {of}.self_id "
        "AND cardinality(a.problems) = 0))"
    )


def _hanging(name: str) -> str:
    """SQL for the rows whose parent is neither imported nor at work, and all below them."""
    return (
        "WITH RECURSIVE hanging AS ("
        "SELECT o.legacy_id FROM migration_work o WHERE o.self_id IS NOT NULL "
        f"AND NOT {_here(name, 'o')} AND NOT EXISTS (SELECT FROM migration_work a "
        "WHERE a.legacy_id = o.self_id AND cardinality(a.problems) = 0) "
        "UNION SELECT c.legacy_id FROM migration_work c "
        "JOIN hanging h ON c.self_id = h.legacy_id) SELECT legacy_id FROM hanging"
    )


def _reached(name: str) -> str:
    """SQL for the rows that can be reached from the roots."""
    return (
        "WITH RECURSIVE reached AS ("
        "SELECT o.legacy_id FROM migration_work o WHERE cardinality(o.problems) = 0 "
        f"AND (o.self_id IS NULL OR {_here(name, 'o')}) "
        "UNION SELECT c.legacy_id FROM migration_work c JOIN reached e "
        "ON c.self_id = e.legacy_id WHERE cardinality(c.problems) = 0) "
        "SELECT legacy_id FROM reached"
    )
