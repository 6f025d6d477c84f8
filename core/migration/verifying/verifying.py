"""Compares what is stored here with the totals of the old service: rows, money, content, by month.

Rows and money are counted in our own tables; content is compared by the checksums of the rows as
they were sent.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.migration.importing.dataset import records_taken_over
from core.migration.reading.mapping import Table
from core.migration.reading.transforms import reading

ProviderMonth = tuple[str | None, str | None]
"""A provider's code and a month (``YYYY-MM``), or neither."""


@dataclass(frozen=True)
class Sums:
    """Rows and money (pence) of a provider's month, and a checksum of the content."""

    rows: int = 0
    pence: int = 0
    checksum: str = ""


def totals_from(document: Any) -> dict[ProviderMonth, Sums]:
    """The totals of a table from an answer; raises ``KeyError``, ``TypeError``, ``ValueError`` or
    ``ArithmeticError`` where the answer has another form."""
    return {
        (total.get("provider"), total.get("month")): Sums(
            int(total["rows"]), int(Decimal(total.get("amount") or 0) * 100), total["checksum"]
        )
        for total in document["totals"]
    }


def check_table(
    connection: Connection, run_id: int, name: str, table: Table, totals: dict[ProviderMonth, Sums]
) -> bool:
    """Compares one table and writes the result; returns whether everything agrees."""
    sent, failed = _rows_sent(connection, name, table)
    here = _here(connection, name, table)
    rows = [
        _check(place, totals.get(place, Sums()), sent, failed, here)
        for place in sorted(totals.keys() | sent.keys() | here.keys(), key=_order)
    ]
    checks = tables.migration_checks
    of_table = (checks.c.run_id == run_id, checks.c.legacy_table == name)
    connection.execute(checks.delete().where(*of_table))
    if rows:
        key = {"run_id": run_id, "legacy_table": name}
        connection.execute(checks.insert(), [{**key, **row} for row in rows])
    return all(row["agrees"] for row in rows)


def _order(place: ProviderMonth) -> tuple[str, str]:
    return place[0] or "", place[1] or ""


def _check(
    place: ProviderMonth,
    source: Sums,
    sent: dict[ProviderMonth, Sums],
    failed: dict[ProviderMonth, Sums],
    here: dict[ProviderMonth, Sums],
) -> dict[str, Any]:
    stored, lost = here.get(place, Sums()), failed.get(place, Sums())
    same = source.checksum == sent.get(place, Sums()).checksum
    complete = (stored.rows + lost.rows, stored.pence + lost.pence) == (source.rows, source.pence)
    return {
        "provider": place[0],
        "month": None if place[1] is None else dt.date.fromisoformat(f"{place[1]}-01"),
        "source_rows": source.rows,
        "here_rows": stored.rows,
        "failed_rows": lost.rows,
        "source_pence": source.pence,
        "here_pence": stored.pence,
        "failed_pence": lost.pence,
        "same_content": same,
        "agrees": same and complete,
    }


def _rows_sent(
    connection: Connection, name: str, table: Table
) -> tuple[dict[ProviderMonth, Sums], dict[ProviderMonth, Sums]]:
    """The sums of all rows sent; and of those that are not here or were sent more than once."""
    lost = "(r.problems IS NOT NULL AND r.imported IS NULL)"
    copies = "(length(r.checksum) / 32)"
    value = f"coalesce({_pence(table)}, 0)"
    spare = f"CASE WHEN {lost} THEN {copies} ELSE {copies} - 1 END"
    rows = connection.execute(
        sa.text(
            f"SELECT {_place(table)}, sum({copies}), sum({copies} * {value}), "
            "md5(string_agg(r.checksum, '' ORDER BY r.legacy_id)), "
            f"sum({spare}), sum({spare} * {value}) "
            f"FROM legacy_rows r {_joins(table)} "
            "WHERE r.legacy_table = :table AND r.gone_at IS NULL GROUP BY 1, 2"
        ),
        {"table": name},
    ).all()
    return (
        {(row[0], row[1]): Sums(int(row[2]), int(row[3]), row[4]) for row in rows},
        {(row[0], row[1]): Sums(int(row[5]), int(row[6])) for row in rows},
    )


def _pence(table: Table) -> str:
    if table.money is None:
        return "0"
    return f"CAST({reading(table.money, table.columns[table.money]).value} * 100 AS bigint)"


def _place(table: Table) -> str:
    if table.month is None:
        return "NULL AS provider, NULL AS month"
    return "btrim(o.body ->> 'code') AS provider, s.body ->> 'month' AS month"


def _joins(table: Table) -> str:
    """The joins from a row to its month and its provider in the old service."""
    if table.month is None:
        return ""
    start, first = "r", ""
    if table.month == "fileId":
        start, first = "f", _join("f", "files", "r", "fileId")
    if table.month == "id":
        month = "JOIN legacy_rows s ON s.id = r.id"
    else:
        month = _join("s", "submissions", start, "submissionId")
    return f"{first} {month} {_join('o', 'organisations', 's', 'organisationId')}"


def _join(alias: str, table: str, of: str, column: str) -> str:
    number = f"{of}.body ->> '{column}'"
    return (
        f"LEFT JOIN legacy_rows {alias} ON {alias}.legacy_table = '{table}' "
        f"AND {alias}.gone_at IS NULL AND CAST({alias}.legacy_id AS text) = {number}"
    )


def _here(connection: Connection, name: str, table: Table) -> dict[ProviderMonth, Sums]:
    """The sums of the table's rows in our own tables."""
    if name == "records":
        query = _records_here(connection)
    elif name == "charges":
        query = _CHARGES_HERE
    elif name == "kpiResults":
        query = _FIGURES_HERE
    else:
        query = _rows_here(table)
    rows = connection.execute(sa.text(query), {"table": name}).all()
    return {(row[0], row[1]): Sums(int(row[2]), int(row[3])) for row in rows}


def _rows_here(table: Table) -> str:
    money = "0"
    if table.into is not None and table.money is not None:
        money = f"CAST(t.{table.columns[table.money].into} * 100 AS bigint)"
    elif table.money is not None:
        money = _pence(table)
    target = f"JOIN {table.into} t ON t.id = r.local_id" if table.into else ""
    return (
        f"SELECT {_place(table)}, count(*), coalesce(sum({money}), 0) "
        f"FROM legacy_rows r {target} {_joins(table)} WHERE r.legacy_table = :table "
        "AND r.gone_at IS NULL AND r.imported IS NOT NULL AND r.local_id IS NOT NULL GROUP BY 1, 2"
    )


_MONTHS_HERE = (
    "(SELECT m.id, m.run_id, btrim(o.body ->> 'code') AS provider, s.body ->> 'month' AS month "
    "FROM submissions m JOIN legacy_rows s ON s.legacy_table = 'submissions' "
    "AND s.local_id = m.id AND s.gone_at IS NULL "
    "JOIN legacy_rows o ON o.legacy_table = 'organisations' AND o.gone_at IS NULL "
    "AND CAST(o.legacy_id AS text) = s.body ->> 'organisationId')"
)
_CHARGES_HERE = (
    "SELECT m.provider, m.month, count(*), coalesce(sum(c.amount_pence), 0) "
    f"FROM {_MONTHS_HERE} m JOIN charges c ON c.run_id = m.run_id GROUP BY 1, 2"
)
_FIGURES_HERE = (
    f"SELECT m.provider, m.month, count(*), 0 FROM {_MONTHS_HERE} m "
    "JOIN kpi_results k ON k.run_id = m.run_id AND k.taken_over GROUP BY 1, 2"
)


def _records_here(connection: Connection) -> str:
    records = records_taken_over(connection)
    return (
        f"SELECT m.provider, m.month, count(*), 0 FROM {_MONTHS_HERE} m "
        "JOIN files f ON f.submission_id = m.id AND f.state = 'ready' "
        f"JOIN {records} x ON x.file_id = f.id GROUP BY 1, 2"
    )
