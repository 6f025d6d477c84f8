"""Databases on a server that somebody else runs."""

from __future__ import annotations

import psycopg
from psycopg import sql

from core.user_errors import UserError


def ensure_database(url: str, name: str) -> None:
    """Makes the database ``name`` on the server of ``url`` if it is not there."""
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if found.fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise UserError(
            f"the database {name!r} is missing and this user may not make it: have it made, or "
            "set GROUPER_PREFECT_DATABASE_URL"
        ) from error
    except psycopg.OperationalError as error:
        raise UserError(f"GROUPER_DATABASE_URL: the database does not answer ({error})") from error
