"""Connections to PostgreSQL: an engine for each URL, and the driver's own cursors for COPY."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, Engine, create_engine

from core.database.acting import mark_transactions
from core.database.embedded import attach
from core.settings import Settings
from core.settings import settings as current_settings
from core.user_errors import UserError

DRIVER = "postgresql+psycopg"


def database_url(settings: Settings | None = None) -> str:
    """``postgresql://…`` of the service's own tables; that of the embedded server by default."""
    settings = settings or current_settings()
    return plain_url(settings.database_url) if settings.database_url else attach(settings.home)


def plain_url(url: str) -> str:
    """``postgresql://…``, as psycopg and libpq read it, from any of the usual spellings."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise UserError(
            "GROUPER_DATABASE_URL must read postgresql://user:password@host:port/database"
        )
    return f"postgresql://{rest}"


def with_driver(url: str, driver: str = DRIVER) -> str:
    """The URL as SQLAlchemy reads it."""
    return f"{driver}://{plain_url(url).partition('://')[2]}"


def with_database(url: str, database: str) -> str:
    """The URL of another database on the same server."""
    address, _, options = plain_url(url).partition("?")
    return address.rpartition("/")[0] + "/" + database + (f"?{options}" if options else "")


@lru_cache(maxsize=8)
def engine(url: str | None = None) -> Engine:
    """A pooled engine, made once for each URL; without one, for the settings of this process."""
    made = create_engine(
        with_driver(url or database_url()),
        pool_size=5,
        max_overflow=10,
        pool_pre_ping=True,  # the server may have been restarted since
        pool_recycle=1800,
        hide_parameters=True,  # messages of errors are logged, and parameters hold values of rows
        connect_args={"connect_timeout": 10},
    )
    mark_transactions(made)
    return made


def driver_cursor(connection: Connection) -> psycopg.Cursor[Any]:
    """psycopg's cursor inside the transaction of a SQLAlchemy connection, for COPY."""
    return cast("psycopg.Cursor[Any]", connection.connection.cursor())
