"""The roles of a database beside its owner: for the portal, and for queries of indicators.

The owner is the user of ``GROUPER_DATABASE_URL``: it owns the tables, runs migrations, and acts
for everybody in flows, relay, sender and the command line. It creates the others, named after the
database (``grouper_app``, ``grouper_kpi``), with passwords derived from a key of the installation.
Where the owner may not create roles, an administrator creates them and sets their URLs.
"""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg
from psycopg import sql
from sqlalchemy import Connection
from sqlalchemy import text as statement

from core.database.engine import plain_url
from core.settings import Settings
from core.user_errors import UserError

Role = Literal["app", "kpi"]
ROLES: tuple[Role, ...] = ("app", "kpi")
LIMITS = {
    "work_mem": "16MB",
    "hash_mem_multiplier": "1",
    "max_parallel_workers_per_gather": "0",
    "temp_file_limit": "1GB",
    "temp_buffers": "1MB",
    "statement_timeout": "300s",  # of a session that sets none of its own
    "idle_in_transaction_session_timeout": "60s",
    "idle_session_timeout": "600s",
    "default_transaction_read_only": "on",
}
"""Of the role that carries out queries of indicators."""


def role_name(database: str, role: Role, settings: Settings) -> str:
    """The name of the role: that of its URL, or derived from the database."""
    given_url = _given_url(settings, role)
    return unquote(urlsplit(given_url).username or "") if given_url else f"{database}_{role}"


def role_url(url: str, role: Role, settings: Settings) -> str:
    """The URL by which the role connects to the database of ``url``."""
    given_url = _given_url(settings, role)
    if given_url:
        return given_url
    parts = urlsplit(plain_url(url))
    name = role_name(parts.path.lstrip("/"), role, settings)
    _, _, place = parts.netloc.rpartition("@")
    login = f"{quote(name)}:{_password(settings, name)}"
    return urlunsplit(parts._replace(netloc=f"{login}@{place}"))


def make_roles(connection: Connection, settings: Settings) -> dict[Role, str]:
    """Creates missing roles, without a login; returns the names of all roles."""
    database = connection.execute(statement("SELECT current_database()")).scalar_one()
    names: dict[Role, str] = {role: role_name(database, role, settings) for role in ROLES}
    for name in names.values():
        query = statement("SELECT 1 FROM pg_roles WHERE rolname = :name")
        if connection.execute(query, {"name": name}).first() is None:
            _make(connection, name)
    return names


def _make(connection: Connection, name: str) -> None:
    quoted = sql.Identifier(name).as_string()
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(f"CREATE ROLE {quoted} NOLOGIN")
    except Exception as error:
        if not isinstance(getattr(error, "orig", None), psycopg.errors.InsufficientPrivilege):
            raise
        raise UserError(
            f"the database has no role {name}, and the user of GROUPER_DATABASE_URL may not make "
            "one: give that user CREATEROLE, or have the roles made and set "
            "GROUPER_APP_DATABASE_URL and GROUPER_KPI_DATABASE_URL"
        ) from error


def open_roles(url: str, settings: Settings) -> None:
    """Enables the login of the roles, with the passwords of this installation."""
    database = urlsplit(plain_url(url)).path.lstrip("/")
    with psycopg.connect(plain_url(url), autocommit=True) as connection:
        for role in ROLES:
            if _given_url(settings, role):
                continue
            name = role_name(database, role, settings)
            change = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}")
            password = sql.Literal(_password(settings, name))
            connection.execute(change.format(sql.Identifier(name), password))
            if role == "kpi":
                _bound(connection, name)


def _bound(connection: psycopg.Connection[Any], name: str) -> None:
    """What a query of somebody's may use up. Where the server lets the owner say less, docs/
    security.md has the statements for who keeps it."""
    role = sql.Identifier(name)
    connection.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT 20").format(role))
    for setting, value in LIMITS.items():
        change = sql.SQL("ALTER ROLE {} SET {} = {}")
        with suppress(psycopg.errors.InsufficientPrivilege):
            connection.execute(change.format(role, sql.Identifier(setting), sql.Literal(value)))


def _given_url(settings: Settings, role: Role) -> str | None:
    url = settings.app_database_url if role == "app" else settings.kpi_database_url
    return None if url is None else plain_url(url)


def _password(settings: Settings, name: str) -> str:
    purpose = f"database role {name}".encode()
    return hmac.new(settings.roles_key().encode(), purpose, hashlib.sha256).hexdigest()
