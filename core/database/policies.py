"""Applies ``access.py`` to a database: functions, policies, and the privileges of each role."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from psycopg import sql
from sqlalchemy import Connection, text

from core.database.access import (
    ACCESS,
    FUNCTIONS,
    RECORDS,
    SCHEMAS,
    Access,
)
from core.database.roles import Role, make_roles
from core.settings import Settings
from core.vocabulary.permissions import PAIRS

FUNCTIONS_OF_USERS = Path(__file__).with_name("access.sql")
RECORDS_PREFIX = "records_"
MARK = "grouper_user"
"""The comment on this function holds the digest of the declaration in force."""


def apply_access(connection: Connection, settings: Settings) -> None:
    """Creates the roles and applies the declaration, unless it is in force already."""
    names = make_roles(connection, settings)
    tables = _tables(connection)
    digest = _digest(names, tables)
    if _in_force(connection) == digest and _is_granted(connection, names["app"]):
        return
    _run_all(connection, [sql.SQL(FUNCTIONS_OF_USERS.read_text(encoding="utf-8"))])
    _write_permissions(connection)
    statements = [*_general(connection, names)]
    for table in sorted(tables):
        statements += _closed_and_opened(connection, table, _access_of(table), names)
    mark = sql.SQL("COMMENT ON FUNCTION {} IS {}").format(_name(MARK), sql.Literal(digest))
    _run_all(connection, [*statements, mark])


def revoke_access(connection: Connection) -> None:
    """Revokes all access of the portal until access is applied again: a policy would prevent
    changes of the columns that it names."""
    for table in sorted(_tables(connection)):
        dropped = sql.SQL("DROP POLICY {} ON {}")
        names = _policies(connection, table)
        _run_all(connection, [dropped.format(_name(name), _name(table)) for name in names])
    if _in_force(connection) is not None:
        unmarked = sql.SQL("COMMENT ON FUNCTION {} IS NULL").format(_name(MARK))
        _run_all(connection, [unmarked])


def protect_records(connection: Connection, table: str, settings: Settings) -> None:
    """Applies access to a new table of records."""
    names = make_roles(connection, settings)
    _run_all(connection, _closed_and_opened(connection, table, RECORDS, names))


def _general(connection: Connection, names: dict[Role, str]) -> Iterator[sql.Composable]:
    """Closes database, schema and functions to everybody, and opens by name what is needed."""
    database = _name(connection.execute(text("SELECT current_database()")).scalar_one())
    yield sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database)
    yield sql.SQL("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    yield sql.SQL("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")
    others = sql.SQL(", ").join(map(_name, names.values()))
    for function in _own_functions(connection):
        yield sql.SQL("REVOKE ALL ON FUNCTION {} FROM PUBLIC, {}").format(sql.SQL(function), others)
    for role, name in names.items():
        yield sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, _name(name))
        yield sql.SQL("REVOKE ALL ON SCHEMA public FROM {}").format(_name(name))
        for schema in SCHEMAS[role]:
            yield sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(_name(schema), _name(name))
        for function in FUNCTIONS[role]:
            yield sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(
                sql.SQL(function), _name(name)
            )
    # A view with the rights of its caller, so that the policies of its tables apply.
    yield sql.SQL("GRANT SELECT ON memberships TO {}").format(_name(names["app"]))


def _closed_and_opened(
    connection: Connection, table: str, access: Access, names: dict[Role, str]
) -> list[sql.Composable]:
    """Revokes every privilege from all roles, and grants those of the declaration."""
    dropped = [
        sql.SQL("DROP POLICY {} ON {}").format(_name(policy), _name(table))
        for policy in _policies(connection, table)
    ]
    changeable = _columns(connection, table, access.fixed) if access.fixed else None
    given = _statements(table, access, names, changeable)
    return [*given, *dropped, *_new_policies(table, access)]


def _columns(connection: Connection, table: str, fixed: tuple[str, ...]) -> list[str]:
    """The columns of a table that are not fixed."""
    query = text(
        "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:table AS regclass) "
        "AND attnum > 0 AND NOT attisdropped AND attname <> ALL (:fixed)"
    )
    return list(connection.execute(query, {"table": table, "fixed": list(fixed)}).scalars())


def _statements(
    table: str, access: Access, names: dict[Role, str], changeable: list[str] | None
) -> Iterator[sql.Composable]:
    yield sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(_name(table))
    for name in names.values():
        yield sql.SQL("REVOKE ALL ON {} FROM PUBLIC, {}").format(_name(table), _name(name))
    rights = {
        "SELECT": access.see,
        "INSERT": access.add,
        _update(changeable): access.change,
        "DELETE": access.remove,
    }
    granted = ", ".join(right for right, condition in rights.items() if condition)
    if granted:
        yield sql.SQL("GRANT {} ON {} TO {}").format(
            sql.SQL(granted), _name(table), _name(names["app"])
        )


def _update(columns: list[str] | None) -> str:
    """The right to change a row, or some columns of it."""
    if columns is None:
        return "UPDATE"
    return f"UPDATE ({', '.join(_name(column).as_string() for column in columns)})"


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
    digest: str | None = connection.execute(query, {"name": MARK}).scalar()
    return digest


def _own_functions(connection: Connection) -> list[str]:
    """The functions of our schema, without those of extensions, which belong to the server."""
    query = text(
        "SELECT oid::regprocedure::text FROM pg_proc routine WHERE prokind = 'f' "
        "AND pronamespace = 'public'::regnamespace "
        "AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = routine.oid AND deptype = 'e')"
    )
    return list(connection.execute(query).scalars())


def _is_granted(connection: Connection, name: str) -> bool:
    """Whether the rights are in place; not so in a copy, or after a restore without privileges."""
    query = text(
        "SELECT has_table_privilege(:name, 'permissions', 'SELECT') "
        "AND NOT has_database_privilege('public', current_database(), 'CONNECT')"
    )
    return bool(connection.execute(query, {"name": name}).scalar_one())


def _digest(names: dict[Role, str], tables: set[str]) -> str:
    declared = (
        FUNCTIONS_OF_USERS.read_text(encoding="utf-8"),
        FUNCTIONS,
        SCHEMAS,
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
    """Runs all statements in one call, since there are some hundreds."""
    connection.exec_driver_sql(
        sql.SQL(";\n").join(statements).as_string(), execution_options={"no_parameters": True}
    )
