"""The report of a migration: what was taken over, what was not and why, how charges differ."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.events.failures import OPEN
from core.files.store import FileStore, open_store
from core.migration.reading.mapping import shipped_mapping
from core.migration.verifying.recalculating import CAUSES, SAME
from core.reports.workbooks.workbook import Column, Workbook
from core.vocabulary.failure_kinds import FailureKind

NAME = "migration-{run_id}.xlsx"
_TABLES = (
    Column("Table", width=20),
    Column("What it holds", width=58),
    Column("Goes to", width=20),
    Column("Agrees", width=9),
    Column("In the old service", "whole", 12),
    Column("New", "tally", 10),
    Column("Changed", "tally", 10),
    Column("Gone", "tally", 10),
    Column("In error", "tally", 10),
)
_CHECKS = (
    Column("Table", width=22),
    Column("Provider", width=12),
    Column("Month", "month", 12),
    Column("Agrees", width=9),
    Column("Same content", width=10),
    Column("Rows there", "whole", 12),
    Column("Rows here", "whole", 12),
    Column("Rows in error or sent twice", "tally", 16),
    Column("Money there", "spread", 16),
    Column("Money here", "spread", 16),
    Column("Money in error or sent twice", "spread", 18),
)
_DIFFERENCES = (
    Column("Provider", width=12),
    Column("Month", "month", 12),
    Column("Cause", width=24),
    Column("Charges", "whole", 10),
    Column("Charged there", "money", 16),
    Column("Our calculation", "money", 16),
    Column("Difference", "money", 14),
    Column("Currencies, or why", width=50),
    Column("What it means", width=80),
)
_FAULTS = (
    Column("Table", width=22),
    Column("Row", "whole", 14),
    Column("Reference", width=12),
    Column("State", width=12),
    Column("Reason", width=110),
)


def store_report(
    connection: Connection,
    run_id: int,
    summary: dict[str, Any],
    store: FileStore | None = None,
) -> str:
    """Writes the report of a migration into the store; returns its key."""
    key = f"migrations/{run_id}/{NAME.format(run_id=run_id)}"
    with tempfile.TemporaryDirectory(prefix="grouper-") as folder:
        path = Path(folder) / NAME.format(run_id=run_id)
        write_report(connection, run_id, summary, path)
        with path.open("rb") as file:
            (store or open_store()).put(key, file)
    runs = tables.migration_runs
    connection.execute(runs.update().where(runs.c.id == run_id).values(report_key=key))
    return key


def write_report(connection: Connection, run_id: int, summary: dict[str, Any], path: Path) -> None:
    """Writes the report as a workbook."""
    title = f"Migration {run_id} from the old service"
    with Workbook(path) as book:
        book.describe(title, "What was taken over, and how it compares")
        book.notes(title, list(_notes(summary)))
        book.table("Tables", _TABLES, _table_rows(summary))
        book.table("Rows and money", _CHECKS, _check_rows(connection, run_id))
        book.table(
            "Charges", _DIFFERENCES, _difference_rows(connection), total=_difference_total(summary)
        )
        book.table("Rows in error", _FAULTS, _fault_rows(connection))


def _notes(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    counts = f"{summary['new']:,} new, {summary['changed']:,} changed, {summary['gone']:,} gone"
    yield "Result", f"{counts}. {summary['failed']:,} rows are in the error queue."
    agreeing = "Rows, money and content of every table agree with the old service."
    differing = "These do not agree with the old service: " + ", ".join(summary["disagreeing"])
    yield "Comparison", differing if summary["disagreeing"] else agreeing
    yield (
        "Tables",
        "Every table of the old service, where it goes, and what this migration did. Rows without "
        "a table of ours are kept as they were sent.",
    )
    yield (
        "Rows and money",
        "By provider and month where rows have one. Rows there are rows here and rows in error or "
        "sent twice; so is money. Content is compared by checksums of rows as they were sent.",
    )
    yield (
        "Charges",
        "Each month is calculated again by our own rules, from the records and the tariff that "
        "were taken over. What people see is what the old service charged.",
    )
    yield "Dates", "Dates of 1900 mean unknown in the old service and those of 9999 open."
    for cause, meaning in CAUSES.items():
        yield cause.capitalize(), meaning


def _table_rows(summary: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    mapped = shipped_mapping().tables
    for name, row in summary["tables"].items():
        table = mapped[name]
        goes = table.goes_to or "kept as sent"
        counts = (row["source_rows"], row["new"], row["changed"], row["gone"], row["failed"])
        yield name, table.title, goes, _yes(row["agrees"]), *counts


def _check_rows(connection: Connection, run_id: int) -> Iterator[tuple[Any, ...]]:
    checks = tables.migration_checks
    query = sa.select(checks).where(checks.c.run_id == run_id).order_by(checks.c.id)
    for row in connection.execute(query):
        money = (row.source_pence / 100, row.here_pence / 100, row.failed_pence / 100)
        yield (
            row.legacy_table, row.provider, row.month, _yes(row.agrees), _yes(row.same_content),
            row.source_rows, row.here_rows, row.failed_rows, *money,
        )  # fmt: skip


def _difference_rows(connection: Connection) -> Iterator[tuple[Any, ...]]:
    differences, submissions, organisations = (
        tables.migration_differences, tables.submissions, tables.organisations,
    )  # fmt: skip
    query = (
        sa.select(differences, submissions.c.month, organisations.c.code)
        .join(submissions, submissions.c.id == differences.c.submission_id)
        .join(organisations, organisations.c.id == submissions.c.provider_id)
        .order_by(
            organisations.c.code,
            submissions.c.month,
            differences.c.cause != SAME,
            differences.c.cause,
        )
    )
    for row in connection.execute(query):
        there, here = row.legacy_pence / 100, row.here_pence / 100
        difference = (row.here_pence - row.legacy_pence) / 100
        yield (
            row.code, row.month, row.cause, row.charges, there, here, difference, row.detail,
            CAUSES[row.cause],
        )  # fmt: skip


def _difference_total(summary: dict[str, Any]) -> tuple[Any, ...]:
    sums = [sum(row[name] for row in summary["charges"])
            for name in ("charges", "legacy_pence", "here_pence")]  # fmt: skip
    money = (sums[1] / 100, sums[2] / 100, (sums[2] - sums[1]) / 100)
    return "Total", None, None, sums[0], *money, None, None


def _fault_rows(connection: Connection) -> Iterator[tuple[Any, ...]]:
    failures = tables.failures.c
    query = (
        sa.select(failures.payload, failures.reference, failures.state, failures.reason)
        .where(failures.kind == FailureKind.LEGACY_ROW, failures.state.in_((*OPEN, "discarded")))
        .order_by(failures.id)
    )
    for row in connection.execute(query):
        number = row.payload["row"] if row.payload["row"] > 0 else None
        yield row.payload["table"], number, row.reference, row.state, row.reason


def _yes(whether: bool) -> str:
    return "yes" if whether else "no"
