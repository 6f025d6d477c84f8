"""Writes ``access.py`` into a database: functions, policies, and what each role may do at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from psycopg import sql
from sqlalchemy import Connection, text

from core.database.access import ACCESS, RECORDS, Access
from core.database.roles import Role, make_roles
from core.settings import Settings
from core.vocabulary.permissions import PAIRS

FUNCTIONS = Path(__file__).with_name("access.sql")
RECORDS_PREFIX = "records_"
MARK = "grouper_user"
"""The comment on this function says which declaration is in force."""


def bring_access_up_to_date(connection: Connection, settings: Settings) -> None:
    """Makes the roles and puts the declaration in force, unless it is already."""
    names = make_roles(connection, settings)
    tables = _tables(connection)
    wanted = _digest(names, tables)
    if _in_force(connection) == wanted and _may_read(connection, names["app"]):
        return
    _run_all(connection, [sql.SQL(FUNCTIONS.read_text(encoding="utf-8"))])
    _write_permissions(connection)
    statements = [*_general(names)]
    for table in sorted(tables):
        statements += _closed_and_opened(connection, table, _access_of(table), names)
    mark = sql.SQL("COMMENT ON FUNCTION {} IS {}").format(_name(MARK), sql.Literal(wanted))
    _run_all(connection, [*statements, mark])


def take_access_away(connection: Connection) -> None:
    """Closes every table to the portal until access is brought up to date again: a policy would
    hold on to the columns that it names."""
    for table in sorted(_tables(connection)):
        dropped = sql.SQL("DROP POLICY {} ON {}")
        names = _policies(connection, table)
        _run_all(connection, [dropped.format(_name(name), _name(table)) for name in names])
    if _in_force(connection) is not None:
        unmarked = sql.SQL("COMMENT ON FUNCTION {} IS NULL").format(_name(MARK))
        _run_all(connection, [unmarked])


def protect_records(connection: Connection, table: str, settings: Settings) -> None:
    """The same for a table of records that was made just now."""
    names = make_roles(connection, settings)
    _run_all(connection, _closed_and_opened(connection, table, RECORDS, names))


def _general(names: dict[Role, str]) -> Iterator[sql.Composable]:
    for name in names.values():
        yield sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(_name(name))
    # A view with the rights of who asks: the policies of its tables hold.
    yield sql.SQL("GRANT SELECT ON memberships TO {}").format(_name(names["app"]))


def _closed_and_opened(
    connection: Connection, table: str, access: Access, names: dict[Role, str]
) -> list[sql.Composable]:
    """Takes every right from all roles, and gives those that the declaration has."""
    dropped = [
        sql.SQL("DROP POLICY {} ON {}").format(_name(policy), _name(table))
        for policy in _policies(connection, table)
    ]
    return [*_statements(table, access, names), *dropped, *_new_policies(table, access)]


def _statements(table: str, access: Access, names: dict[Role, str]) -> Iterator[sql.Composable]:
    yield sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(_name(table))
    for name in names.values():
        yield sql.SQL("REVOKE ALL ON {} FROM PUBLIC, {}").format(_name(table), _name(name))
    rights = {
        "SELECT": access.see,
        "INSERT": access.add,
        "UPDATE": access.change,
        "DELETE": access.remove,
    }
    granted = ", ".join(right for right, condition in rights.items() if condition)
    if granted:
        yield sql.SQL("GRANT {} ON {} TO {}").format(
            sql.SQL(granted), _name(table), _name(names["app"])
        )


def _new_policies(table: str, access: Access) -> Iterator[sql.Composable]:
    parts = {
        "see": ("SELECT", access.see, None),
        "add": ("INSERT", None, access.add),
        "change": ("UPDATE", access.change, access.to or access.change),
        "remove": ("DELETE", access.remove, None),
    }
    for name, (command, using, check) in parts.items():
        if using or check:
            yield sql.SQL("CREATE POLICY {} ON {} FOR {}{}{}").format(
                _name(name),
                _name(table),
                sql.SQL(command),
                sql.SQL(f" USING ({using})" if using else ""),
                sql.SQL(f" WITH CHECK ({check})" if check else ""),
            )


def _write_permissions(connection: Connection) -> None:
    connection.execute(text("DELETE FROM permissions"))
    connection.execute(
        text("INSERT INTO permissions (kind, action) VALUES (:kind, :action)"),
        [{"kind": str(kind), "action": str(action)} for kind, action in PAIRS],
    )


def _access_of(table: str) -> Access:
    if table.startswith(RECORDS_PREFIX):
        return RECORDS
    return ACCESS.get(table, Access())


def _tables(connection: Connection) -> set[str]:
    query = text(
        "SELECT relname FROM pg_class WHERE relkind = 'r' "
        "AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"
    )
    return set(connection.execute(query).scalars())


def _policies(connection: Connection, table: str) -> list[str]:
    query = text("SELECT polname FROM pg_policy WHERE polrelid = CAST(:table AS regclass)")
    return list(connection.execute(query, {"table": table}).scalars())


def _in_force(connection: Connection) -> str | None:
    query = text(
        "SELECT obj_description(oid, 'pg_proc') FROM pg_proc "
        "WHERE proname = :name AND pronamespace = 'public'::regnamespace"
    )
    found: str | None = connection.execute(query, {"name": MARK}).scalar()
    return found


def _may_read(connection: Connection, name: str) -> bool:
    """Not so where a copy of the database was made, or restored without its rights."""
    query = text("SELECT has_table_privilege(:name, 'permissions', 'SELECT')")
    return bool(connection.execute(query, {"name": name}).scalar_one())


def _digest(names: dict[Role, str], tables: set[str]) -> str:
    declared = (
        FUNCTIONS.read_text(encoding="utf-8"),
        names,
        sorted(tables),
        ACCESS,
        RECORDS,
        PAIRS,
    )
    return hashlib.sha256(repr(declared).encode()).hexdigest()


def _name(name: str) -> sql.Identifier:
    return sql.Identifier(name)


def _run_all(connection: Connection, statements: Iterable[sql.Composable]) -> None:
    """All at once: there are some hundreds."""
    connection.exec_driver_sql(
        sql.SQL(";\n").join(statements).as_string(), execution_options={"no_parameters": True}
    )
