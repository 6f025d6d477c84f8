"""Databases on a server that is not our own."""

from __future__ import annotations

import psycopg
from psycopg import sql

from core.user_errors import UserError


def ensure_database(url: str, name: str) -> None:
    """Creates the database ``name`` on the server of ``url`` if it does not exist."""
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            rows = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if rows.fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise UserError(
            f"the database {name!r} is missing and this user may not make it: have it made, or "
            "set GROUPER_PREFECT_DATABASE_URL"
        ) from error
    except psycopg.OperationalError as error:
        raise UserError(f"GROUPER_DATABASE_URL: the database does not answer ({error})") from error
