"""Carries out the query of one indicator for one run, in isolation.

It runs in a session of its own, as a role that can read the views of one submission and nothing
else, in a read-only transaction that is rolled back, with a time limit that the server enforces.
The result must be one row of two plain numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert

from core.database import tables
from core.database.engine import plain_url
from core.database.roles import role_url
from core.kpis.definitions import SHARES, Kpi
from core.kpis.views import schema_name
from core.settings import settings
from core.user_errors import UserError


class KpiRefused(UserError):
    """The query was stopped, or its result is not a figure; the text says why."""


@dataclass(frozen=True)
class Measurement:
    """Numerator and denominator of an indicator for one run."""

    numerator: Decimal
    denominator: Decimal


def measure(
    engine: Engine, kpi: Kpi, dataset: str, run_id: int, *, seconds: float | None = None
) -> Measurement:
    """Measures one indicator; raises ``KpiRefused``. The run's episodes must have been written."""
    limit = settings().kpi_seconds if seconds is None else seconds
    with _session(engine, run_id) as session:
        try:
            rows = _rows(session, kpi.sql, dataset, limit)
        except psycopg.Error as error:
            raise KpiRefused(_why(error, limit)) from error
    return _figures(rows, kpi)


@contextmanager
def _session(engine: Engine, run_id: int) -> Iterator[psycopg.Connection[Any]]:
    """A session that sees one run, until the block ends."""
    owner = plain_url(engine.url.render_as_string(hide_password=False))
    url = role_url(owner, "kpi", settings())
    with psycopg.connect(url, autocommit=True, application_name="grouper kpi") as session:
        pid = session.info.backend_pid
        with engine.begin() as connection:
            note = insert(tables.kpi_sessions).values(pid=pid, run_id=run_id)
            connection.execute(
                note.on_conflict_do_update(index_elements=["pid"], set_={"run_id": run_id})
            )
        try:
            yield session
        finally:
            with engine.begin() as connection:
                sessions = tables.kpi_sessions
                connection.execute(sessions.delete().where(sessions.c.pid == pid))


def _rows(
    session: psycopg.Connection[Any], query: str, dataset: str, seconds: float
) -> tuple[list[str], list[tuple[Any, ...]]]:
    with session.transaction(force_rollback=True):
        for setting, value in (
            ("transaction_read_only", "on"),
            ("statement_timeout", f"{int(seconds * 1000)}ms"),
            ("search_path", f"{schema_name(dataset)}, pg_catalog"),
            ("work_mem", "64MB"),
            ("max_parallel_workers_per_gather", "0"),
        ):
            session.execute("SELECT set_config(%s, %s, true)", (setting, value))
        # Prepared, so that it can be one statement only; a subquery, so that it can only read.
        statement = sql.SQL("SELECT * FROM (\n{}\n) AS measured LIMIT 2").format(
            sql.SQL(_without_end(query))
        )
        cursor = session.execute(statement, prepare=True)
        return [column.name for column in cursor.description or ()], cursor.fetchall()


def _without_end(query: str) -> str:
    return query.strip().removesuffix(";")


def _figures(result: tuple[list[str], list[tuple[Any, ...]]], kpi: Kpi) -> Measurement:
    names, rows = result
    if sorted(names) != ["denominator", "numerator"]:
        raise KpiRefused(
            "The query must give two columns, numerator and denominator; "
            f"it gives {', '.join(names) or 'none'}."
        )
    if len(rows) != 1:
        raise KpiRefused(
            f"The query must give one row; it gives {'none' if not rows else 'more than one'}."
        )
    row = dict(zip(names, rows[0], strict=True))
    numbers = {name: _number(name, row[name]) for name in names}
    return _sensible(Measurement(**numbers), kpi)


def _number(name: str, value: Any) -> Decimal:
    if value is None:
        return Decimal(0)  # the sum of nothing
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise KpiRefused(f"The {name} must be a number; it is {type(value).__name__} here.")
    number = Decimal(str(value))
    if not number.is_finite():
        raise KpiRefused(f"The {name} is no finite number.")
    return number


def _sensible(measured: Measurement, kpi: Kpi) -> Measurement:
    if measured.numerator < 0 or measured.denominator < 0:
        raise KpiRefused("Numerator and denominator must not be below zero.")
    if kpi.unit in SHARES and measured.numerator > measured.denominator:
        raise KpiRefused(
            f"The numerator ({measured.numerator}) is more than the denominator "
            f"({measured.denominator}), which cannot be a share. Choose another unit."
        )
    return measured


def _why(error: psycopg.Error, seconds: float) -> str:
    """The error in words for the author of the query."""
    match error:
        case psycopg.errors.QueryCanceled():
            return f"The query took longer than {seconds:g} seconds and was stopped."
        case psycopg.errors.InsufficientPrivilege():
            return f"The query may read the views of one submission only: {_first_line(error)}."
        case psycopg.errors.ReadOnlySqlTransaction():
            return "The query may only read."
        case psycopg.errors.UndefinedTable():
            return f"{_first_line(error).capitalize()}: the views are episodes, records, charges."
    return f"PostgreSQL refuses the query: {_first_line(error)}."


def _first_line(error: psycopg.Error) -> str:
    return str(error.diag.message_primary or error).splitlines()[0]
