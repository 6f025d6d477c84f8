"""The result of a migration: counts by table, what does not agree, how charges differ."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.migration.problems import PROBLEMS
from core.migration.verifying.recalculating import SAME

COUNTS = ("new", "changed", "gone", "failed")


def summary_of(connection: Connection, run_id: int) -> dict[str, Any]:
    """The summary as a JSON document; ``clean``: nothing failed and everything agrees."""
    by_table = _tables(connection, run_id)
    disagreeing = _disagreeing(connection, run_id)
    return {
        "tables": {name: {**row, "agrees": name not in disagreeing} for name, row in by_table},
        **{count: sum(row[count] for _, row in by_table) for count in COUNTS},
        "disagreeing": sorted(disagreeing),
        "problems": _problems(connection, run_id),
        "charges": charges_by_cause(connection),
        "clean": not disagreeing and not any(row["failed"] for _, row in by_table),
    }


def _tables(connection: Connection, run_id: int) -> list[tuple[str, dict[str, int]]]:
    migrated = tables.migrated_tables.c
    names = (*COUNTS, "rows_read", "source_rows")
    query = sa.select(migrated.legacy_table, *(migrated[name] for name in names))
    query = query.where(migrated.run_id == run_id).order_by(migrated.position)
    failing = _failing(connection)
    return [
        (row[0], {**dict(zip(names, row[1:], strict=True)), "failed": failing.get(row[0], 0)})
        for row in connection.execute(query)
    ]


def _failing(connection: Connection) -> dict[str, int]:
    """The number of faulty rows by table now: assembling configurations may change it."""
    rows = tables.legacy_rows.c
    query = (
        sa.select(rows.legacy_table, sa.func.count())
        .where(rows.problems.is_not(None), rows.gone_at.is_(None))
        .group_by(rows.legacy_table)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _disagreeing(connection: Connection, run_id: int) -> set[str]:
    checks = tables.migration_checks.c
    query = sa.select(checks.legacy_table).distinct()
    return set(
        connection.execute(query.where(checks.run_id == run_id, sa.not_(checks.agrees))).scalars()
    )


def _problems(connection: Connection, run_id: int) -> list[dict[str, Any]]:
    """The number of faulty rows by table, column and reason."""
    query = sa.text("""
        SELECT r.legacy_table, p ->> 'column' AS column, p ->> 'code' AS code, count(*) AS rows
        FROM legacy_rows r JOIN migrated_tables t
            ON t.run_id = :run AND t.legacy_table = r.legacy_table,
            jsonb_array_elements(r.problems) AS p
        WHERE r.problems IS NOT NULL AND r.gone_at IS NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """)
    return [
        {
            "table": row[0],
            "column": row[1],
            "reason": PROBLEMS.get(row[2], row[2]).replace("{detail}", "another row"),
            "rows": row[3],
        }
        for row in connection.execute(query, {"run": run_id})
    ]


def charges_by_cause(connection: Connection) -> list[dict[str, Any]]:
    """Charges of the old service against ours, over all months, by cause."""
    differences = tables.migration_differences.c
    query = (
        sa.select(
            differences.cause,
            sa.func.count(sa.distinct(differences.submission_id)),
            sa.func.sum(differences.charges),
            sa.cast(sa.func.sum(differences.legacy_pence), sa.BigInteger),
            sa.cast(sa.func.sum(differences.here_pence), sa.BigInteger),
        )
        .group_by(differences.cause)
        .order_by(differences.cause != SAME, differences.cause)
    )
    names = ("cause", "months", "charges", "legacy_pence", "here_pence")
    return [dict(zip(names, row, strict=True)) for row in connection.execute(query)]
