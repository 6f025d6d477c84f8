"""Imports a table: new rows are added, changed ones updated, faulty ones left out and noted.

Keys are assigned before rows are written, so that references hold within one statement. A row that
the database refuses is found by bisection, so the rest is imported. The import is idempotent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from core.migration.importing import (
    accounts,
    clinic_hosts,
    configurations,
    indicators,
    months,
    organisations,
)
from core.migration.importing.orphans import mark_orphans
from core.migration.reading.mapping import Table
from core.migration.reading.staging import GOOD, add_problem, columns_here, stage
from core.migration.reading.transforms import literal

ARCHIVE = "legacy_rows"

Step = Callable[[Connection], None]
FIRST: dict[str, Step] = {"assemble-configurations": configurations.assemble}
THEN: dict[str, Step] = {
    "update-subscriptions": accounts.update_subscriptions,
    "bill-subscriptions": accounts.bill_subscriptions,
    "ready-files": months.ready_files,
    "write-records": months.write_records,
    "publish-charges": months.publish_charges,
    "define-indicators": indicators.define_indicators,
    "write-figures": indicators.write_figures,
}
CHECK: dict[str, Step] = {
    "distinct-names": indicators.check_names,
    "sensible-figures": indicators.check_figures,
}
"""The steps that the mapping names; each reads ``migration_work``."""

GONE: dict[str, Step] = {
    "users": accounts.end_gone_users,
    "files": months.remove_gone_files,
    "kpis": indicators.retire_gone,
}
"""What happens to our rows, by our table, when they are gone from the old service. Rows of other
tables stay, unless the mapping says that they are removed."""

BEFORE = {"organisations": organisations.KEEP_NAMES, "clinics": clinic_hosts.SINCE_WHEN}
"""Statements, by our table, that record the values an update is about to overwrite; ``{chosen}``
selects the rows of ``migration_work`` as ``w`` that are updated in ``t``."""
AFTER = {"submissions": [months.DATASET_OF_MONTHS]}
"""Statements, by our table, that give new rows what the old service does not say."""


@dataclass(frozen=True)
class Imported:
    """The counts of an import, in rows."""

    new: int
    changed: int
    failed: int
    gone: int


def import_table(
    connection: Connection, name: str, table: Table, context: dict[str, object]
) -> Imported:
    """Updates our rows to what the old service sent, in the caller's transaction.

    Where a row released a key that another row waits for, the import is repeated.
    """
    last = total = _import_once(connection, name, table, context)
    while last.changed and _waits_for_key(connection):
        last = _import_once(connection, name, table, context)
        total = Imported(
            total.new + last.new, total.changed + last.changed, last.failed, total.gone + last.gone
        )
    return total


def _waits_for_key(connection: Connection) -> bool:
    """Whether a row at work waits for a row with the same key."""
    query = (
        "SELECT EXISTS (SELECT FROM migration_work w, unnest(w.problems) p "
        "WHERE p ->> 'code' IN ('same', 'refused'))"
    )
    return bool(connection.execute(sa.text(query)).scalar_one())


def _import_once(
    connection: Connection, name: str, table: Table, context: dict[str, object]
) -> Imported:
    if table.first is not None:
        FIRST[table.first](connection)
    mark_orphans(connection, name, table)
    stage(connection, name, table, context)
    if table.check is not None:
        CHECK[table.check](connection)
    if table.into is not None:
        _assign_keys(connection, name, table)
        _write(connection, table, None)
    gone = _mark_gone(connection, name, table)
    imported = _note(connection, name, table, gone)
    if table.removed:
        _remove(connection, name, table)
    if table.then is not None:
        THEN[table.then](connection)
    return imported


def _assign_keys(connection: Connection, name: str, table: Table) -> None:
    """Assigns local ids, of adopted rows or new ones; then the ids of parents in the same table."""
    if table.adopt:
        equal = " AND ".join(f"t.{column} = w.{column}" for column in table.key)
        _run(
            connection,
            f"UPDATE migration_work w SET local_id = t.id FROM {table.into} t "
            f"WHERE w.local_id IS NULL AND {GOOD} AND {equal}",
        )
    _run(
        connection,
        "UPDATE migration_work w SET local_id = "
        f"nextval(pg_get_serial_sequence({literal(str(table.into))}, 'id')) "
        f"WHERE w.local_id IS NULL AND {GOOD}",
    )
    own = table.self_reference(name)
    if own is not None and own[1].into is not None:
        _run(
            connection,
            f"UPDATE migration_work w SET {own[1].into} = coalesce("
            "(SELECT p.local_id FROM migration_work p WHERE p.legacy_id = w.self_id "
            "AND cardinality(p.problems) = 0), (SELECT p.local_id FROM legacy_rows p "
            f"WHERE p.legacy_table = {literal(name)} AND p.legacy_id = w.self_id)) "
            f"WHERE w.self_id IS NOT NULL AND {GOOD}",
        )


def _write(connection: Connection, table: Table, rows: list[int] | None) -> None:
    """Writes rows, by default all good ones; notes a problem for rows that the database refuses."""
    try:
        with connection.begin_nested():
            for statement in _statements(table, rows is None):
                connection.execute(sa.text(statement), {} if rows is None else {"rows": rows})
    except DBAPIError as error:
        if not _refuses_values(error):
            raise
        chosen = rows if rows is not None else _good_rows(connection)
        if len(chosen) == 1:
            detail = literal(rule_of(error))
            add_problem(connection, "id", "refused", detail, "w.row_id = :row", row=chosen[0])
            return
        middle = len(chosen) // 2
        _write(connection, table, chosen[:middle])
        _write(connection, table, chosen[middle:])


def _statements(table: Table, every: bool) -> list[str]:
    columns = columns_here(table)
    current, imported = (", ".join(f"{of}.{column}" for column in columns) for of in "tw")
    chosen = GOOD if every else f"{GOOD} AND w.row_id = ANY (:rows)"
    before = BEFORE.get(str(table.into), [])
    return [
        *(statement.replace("{chosen}", chosen) for statement in before),
        f"UPDATE {table.into} t SET ({', '.join(columns)}) = ROW ({imported}) "
        f"FROM migration_work w WHERE t.id = w.local_id AND {chosen} "
        f"AND ({current}) IS DISTINCT FROM ({imported})",
        f"INSERT INTO {table.into} (id, {', '.join(columns)}) "
        f"SELECT w.local_id, {imported} FROM migration_work w WHERE {chosen} "
        f"AND NOT EXISTS (SELECT FROM {table.into} t WHERE t.id = w.local_id) ORDER BY w.legacy_id",
        *AFTER.get(str(table.into), []),
    ]


def _good_rows(connection: Connection) -> list[int]:
    query = f"SELECT row_id FROM migration_work w WHERE {GOOD} ORDER BY legacy_id"
    return list(connection.execute(sa.text(query)).scalars())


def _refuses_values(error: DBAPIError) -> bool:
    """Whether a value, a constraint or a trigger is the reason, and not the connection."""
    state = getattr(error.orig, "sqlstate", None) or ""
    return state.startswith(("22", "23", "P0001"))


def rule_of(error: DBAPIError) -> str:
    """The name of the rule that was broken; the text of the error may hold values."""
    diagnosis = getattr(error.orig, "diag", None)
    named = getattr(diagnosis, "constraint_name", None) or getattr(diagnosis, "column_name", None)
    return str(named or getattr(error.orig, "sqlstate", None) or type(error).__name__)


def _mark_gone(connection: Connection, name: str, table: Table) -> int:
    """Lists imported rows that the old service no longer has in ``migration_gone``; counts them."""
    connection.execute(sa.text("DROP TABLE IF EXISTS migration_gone"))
    connection.execute(
        sa.text(
            "CREATE TEMP TABLE migration_gone ON COMMIT DROP AS SELECT id AS row_id, local_id "
            "FROM legacy_rows WHERE legacy_table = :table AND gone_at IS NOT NULL "
            "AND imported IS NOT NULL"
        ),
        {"table": name},
    )
    here = table.into or table.assembled
    if here in GONE:
        GONE[here](connection)
    local_id = "r.local_id" if here is not None else "NULL"
    marked = connection.execute(
        sa.text(
            f"UPDATE legacy_rows r SET imported = NULL, problems = NULL, local_id = {local_id} "
            "FROM migration_gone g WHERE r.id = g.row_id"
        )
    )
    return marked.rowcount


def _note(connection: Connection, name: str, table: Table, gone: int) -> Imported:
    """Notes in the rows of the old service which are imported, and why the others are not."""
    here = literal(table.into or ARCHIVE)
    local = "w.local_id"
    if table.bulk is not None:
        here, local = literal(f"{table.columns[table.bulk].to}"), "w.parent_id"
    elif table.into is None:
        local = "coalesce(r.local_id, r.id)"
        here = f"coalesce(r.local_table, {here})"
    written = connection.execute(
        sa.text(
            f"UPDATE legacy_rows r SET imported = w.checksum, local_table = {here}, "
            f"local_id = {local}, problems = NULL FROM migration_work w "
            f"WHERE r.id = w.row_id AND {GOOD} RETURNING w.new"
        )
    )
    new = list(written.scalars())
    lost = ", imported = NULL, local_id = NULL" if table.bulk is not None else ""
    _run(
        connection,
        f"UPDATE legacy_rows r SET problems = to_jsonb(w.problems){lost} FROM migration_work w "
        f"WHERE r.id = w.row_id AND NOT {GOOD} "
        "AND r.problems IS DISTINCT FROM to_jsonb(w.problems)",
    )
    failed = connection.execute(
        sa.text(
            "SELECT count(*) FROM legacy_rows WHERE legacy_table = :table AND gone_at IS NULL "
            "AND problems IS NOT NULL"
        ),
        {"table": name},
    ).scalar_one()
    return Imported(sum(new), len(new) - sum(new), int(failed), gone)


def _remove(connection: Connection, name: str, table: Table) -> None:
    """Removes rows that are gone there, or whose parent is gone, with all that refers to them.

    Their ids are kept in case they return.
    """
    _run(
        connection,
        "UPDATE legacy_rows r SET local_table = NULL, imported = NULL "
        f"WHERE legacy_table = {literal(name)} AND local_table IS NOT NULL AND "
        f"(imported IS NULL OR NOT EXISTS (SELECT FROM {table.into} t WHERE t.id = r.local_id))",
    )
    _run(
        connection,
        f"DELETE FROM {table.into} t USING legacy_rows r WHERE r.legacy_table = {literal(name)} "
        "AND r.local_id = t.id AND r.local_table IS NULL",
    )


def _run(connection: Connection, statement: str) -> None:
    connection.execute(sa.text(statement))
