"""Carries out the query of one indicator for one run, in isolation.

It runs in a session of its own, as a role that can read the views of one submission and nothing
else, in a read-only transaction that is rolled back, with a time limit that the server enforces.
What it gives must be one row of two plain numbers. No text of the database reaches who wrote the
query: it may hold a value.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert

from core.database import tables
from core.database.engine import driver_cursor, plain_url
from core.database.roles import role_url
from core.kpis.definitions import SHARES, Kpi
from core.kpis.query_rules import (
    CARRIED_OUT,
    READ,
    READING_SECONDS,
    KpiRefused,
    as_subquery,
    refuse_what_is_not_allowed,
)
from core.kpis.views import schema_name
from core.settings import settings
from core.support.processes import bound_memory

__all__ = ["KpiRefused", "KpiSession", "Measurement", "kpi_session", "measure", "refuse_forbidden"]

MOST_BYTES = 512 << 20
"""Of memory that a query may take, where its server runs on this machine."""


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
    refuse_forbidden(engine, kpi, dataset)
    with kpi_session(engine, run_id) as session:
        return session.measure(kpi, dataset, limit)


def refuse_forbidden(engine: Engine, kpi: Kpi, dataset: str) -> None:
    """Raises ``KpiRefused`` where the query names what it may not, or cannot be read."""
    with engine.connect() as connection, driver_cursor(connection) as cursor:
        try:
            refuse_what_is_not_allowed(cursor, kpi.sql, schema_name(dataset))
        except psycopg.Error as error:
            raise KpiRefused(_why(error, READING_SECONDS, kpi.sql, len(READ))) from None
        finally:
            connection.rollback()


class KpiSession:
    """A session that sees one run, or the part of it that ``commissioners`` are charged for."""

    def __init__(self, engine: Engine, session: psycopg.Connection[Any]) -> None:
        self._engine = engine
        self._session = session

    def measure(self, kpi: Kpi, dataset: str, seconds: float) -> Measurement:
        """Carries the query out; raises ``KpiRefused``."""
        try:
            rows = self._rows(as_subquery(kpi.sql), dataset, seconds)
        except psycopg.Error as error:
            raise KpiRefused(_why(error, seconds, kpi.sql, len(CARRIED_OUT))) from None
        return _figures(rows, kpi)

    def patients(self, dataset: str, seconds: float) -> list[str]:
        """Everybody whom the session sees, in no order that says anything."""
        statement = sql.SQL("SELECT DISTINCT patient_id FROM episodes ORDER BY 1").format()
        return [str(row[0]) for row in self._rows(statement, dataset, seconds)[1]]

    def leave_out(self, patients: Collection[str]) -> None:
        """From now on these are not seen."""
        left_out, pid = tables.kpi_left_out, self._session.info.backend_pid
        with self._engine.begin() as connection:
            connection.execute(left_out.delete().where(left_out.c.pid == pid))
            if patients:
                each = sa.func.unnest(sa.literal(list(patients), _TEXTS))
                rows = sa.select(sa.literal(pid), each)
                connection.execute(left_out.insert().from_select(["pid", "patient"], rows))

    def _rows(
        self, statement: sql.Composed, dataset: str, seconds: float
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        with self._session.transaction(force_rollback=True):
            for setting, value in (
                ("transaction_read_only", "on"),
                ("statement_timeout", f"{max(1, int(seconds * 1000))}ms"),
                ("work_mem", "16MB"),
                ("hash_mem_multiplier", "1"),
                ("max_parallel_workers_per_gather", "0"),
            ):
                change = sql.SQL("SET LOCAL {} = {}")
                self._session.execute(change.format(sql.Identifier(setting), sql.Literal(value)))
            path = sql.SQL("SET LOCAL search_path = {}, pg_catalog")
            self._session.execute(path.format(sql.Identifier(schema_name(dataset))))
            # Prepared, so that it can be one statement only.
            cursor = self._session.execute(statement, prepare=True)
            return [column.name for column in cursor.description or ()], cursor.fetchall()


_TEXTS = sa.ARRAY(sa.Text)


@contextmanager
def kpi_session(
    engine: Engine, run_id: int, commissioners: Sequence[str] | None = None
) -> Iterator[KpiSession]:
    """A session that sees one run, for as long as the block lasts."""
    owner = plain_url(engine.url.render_as_string(hide_password=False))
    url = role_url(owner, "kpi", settings())
    with psycopg.connect(url, autocommit=True, application_name="grouper kpi") as session:
        pid = session.info.backend_pid
        bound_memory(pid, MOST_BYTES, host=session.info.host, command="postgres")
        seen = {
            "run_id": run_id,
            "commissioners": None if commissioners is None else list(commissioners),
        }
        with engine.begin() as connection:
            _forget(connection, pid)
            note = insert(tables.kpi_sessions).values(pid=pid, **seen)
            connection.execute(note)
        try:
            yield KpiSession(engine, session)
        finally:
            with engine.begin() as connection:
                _forget(connection, pid)


def _forget(connection: sa.Connection, pid: int) -> None:
    for table in (tables.kpi_sessions, tables.kpi_left_out):
        connection.execute(table.delete().where(table.c.pid == pid))


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
            "The numerator is more than the denominator, which cannot be a share. Choose another "
            "unit."
        )
    return measured


def _why(error: psycopg.Error, seconds: float, query: str, before: int) -> str:
    """What the person who wrote the query can do about it: the kind of the error, and its place in
    the query, before which so many characters stood."""
    place = _place(error, query, before)
    match error:
        case psycopg.errors.QueryCanceled():
            return f"The query took longer than {seconds:g} seconds and was stopped."
        case psycopg.errors.InsufficientPrivilege():
            return f"The query may read the views of one submission only{place}."
        case psycopg.errors.ReadOnlySqlTransaction():
            return f"The query may only read{place}."
        case psycopg.errors.UndefinedTable():
            return f"Undefined table{place}: the views are episodes, records, charges."
    return f"PostgreSQL refuses the query: {_kind(error)}{place}."


def _kind(error: psycopg.Error) -> str:
    """The class of an error in words, as ``undefined column``."""
    words = re.findall(r"[A-Z][a-z0-9]*", type(error).__name__)
    return " ".join(words).lower() or "an error"


def _place(error: psycopg.Error, query: str, before: int) -> str:
    try:
        at = int(error.diag.statement_position or "") - 1 - before
    except ValueError:
        return ""
    text = query.strip()
    if not 0 <= at <= len(text):
        return ", at its end" if at > len(text) else ""
    line = text.count("\n", 0, at) + 1
    return f", line {line}, character {at - text.rfind(chr(10), 0, at)}"
