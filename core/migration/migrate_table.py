"""Carries out a migration, table by table: fetch, import, verify; each step is a transaction.

A step that is complete is marked in the transaction that completes it, so a migration that was
killed resumes with the step it was in. A dry run is the same work in one transaction, rolled back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from core.areas.register_store import register_in_use
from core.database import tables
from core.migration.importing.dataset import columns_taken_over
from core.migration.importing.importing import import_table, rule_of
from core.migration.reading import archive
from core.migration.reading.legacy import LegacyClient, LegacyUnavailable
from core.migration.reading.mapping import Table, shipped_mapping
from core.migration.row_failures import record_faulty_rows
from core.migration.runs import (
    ENDED,
    Migration,
    TableRun,
    add_counts,
    begin_fetching,
    end_migration,
    end_table,
    move_table,
    plan_tables,
    table_of,
    tables_of,
)
from core.migration.verifying.recalculating import compare_month, months_to_compare
from core.migration.verifying.summary import summary_of
from core.migration.verifying.verifying import check_table, totals_from
from core.support.faults import is_temporary
from core.user_errors import UserError
from core.vocabulary.states.migration import TableState

ROUNDS = 5
"""How often the blocks of a table are compared and read again while the old service changes it."""
MANY_ROWS = 1000
"""After so many new rows PostgreSQL updates its statistics of the table."""


class StepRefused(UserError):
    """The database refused a step; the message names the rule, never a value of a row."""

    def __init__(self, error: DBAPIError) -> None:
        super().__init__(f"the database refused a step of the migration ({rule_of(error)})")


@contextmanager
def _without_values() -> Iterator[None]:
    """Hides the database's own messages: they may hold values of rows, and callers log them."""
    try:
        yield
    except DBAPIError as error:
        if is_temporary(error):
            raise
        raise StepRefused(error) from None


@dataclass
class MigrationContext:
    """What the steps of one migration share."""

    engine: Engine
    migration: Migration
    legacy: LegacyClient
    dry_run_connection: Connection | None = None
    _lock: RLock = field(default_factory=RLock)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction of its own, or the one of a dry run, for one thread at a time."""
        with _without_values():
            if self.dry_run_connection is None:
                with self.engine.begin() as connection:
                    yield connection
            else:
                with self._lock, self.dry_run_connection.begin_nested():
                    yield self.dry_run_connection


ReadPages = Callable[[MigrationContext, TableRun, Sequence[int]], None]
"""Reads pages of a table, several at once or one after the other."""
Log = Callable[[str], None]


def carry_out(context: MigrationContext, read_pages: ReadPages, log: Log) -> dict[str, Any]:
    """Carries out a migration up to its end; returns its summary."""
    with context.transaction() as connection:
        plan_tables(connection, context.migration.id)
        planned = tables_of(connection, context.migration.id)
    for table in planned:
        if table.state not in ENDED:
            log(table.table)
            _migrate_table(context, table, read_pages)
    log("months are calculated again")
    _calculate_again(context)
    with context.transaction() as connection:
        return summary_of(connection, context.migration.id)


def rehearse(context: MigrationContext, read_pages: ReadPages, log: Log) -> dict[str, Any]:
    """Carries out a migration as a dry run: in one transaction, which is rolled back."""
    with context.engine.connect() as connection, connection.begin() as transaction:
        context.dry_run_connection = connection
        try:
            return carry_out(context, read_pages, log)
        finally:
            context.dry_run_connection = None
            transaction.rollback()


def finish(connection: Connection, context: MigrationContext, summary: dict[str, Any]) -> None:
    """Ends the migration; its summary says whether everything succeeded."""
    end_migration(connection, context.migration.id, summary, clean=summary["clean"])


def read_page(context: MigrationContext, table: TableRun, page: int) -> dict[str, Any]:
    """Reads one page, stores its rows unless they are stored already, and returns the answer."""
    size = context.legacy.endpoint.page
    since = {} if table.since is None else {"changedSince": table.since}
    text, document = context.legacy.ask(
        table.table, {"page": page, "pageSize": size, **since}, "items"
    )
    with context.transaction() as connection:
        archive.store_pages(connection, table.table, [text])
        marks = insert(tables.migration_pages).values(table_id=table.id, page=page)
        marked = connection.execute(marks.on_conflict_do_nothing())
        if marked.rowcount:
            add_counts(connection, table.id, rows_read=len(document["items"]))
    return dict(document)


def _migrate_table(context: MigrationContext, table: TableRun, read_pages: ReadPages) -> None:
    mapped = shipped_mapping().tables[table.table]
    if table.state == TableState.PLANNED:
        with context.transaction() as connection:
            begin_fetching(connection, table)
            table = table_of(connection, table.id)
    if table.state == TableState.FETCHING:
        _fetch(context, table, read_pages)
        table = _move_on(context, table, TableState.IMPORTING)
    if table.state == TableState.IMPORTING:
        with context.transaction() as connection:
            _import(connection, table, mapped)
            table = table_of(connection, table.id)
    _verify(context, table, mapped)


def _move_on(context: MigrationContext, table: TableRun, state: TableState) -> TableRun:
    with context.transaction() as connection:
        move_table(connection, table.id, state)
        moved = table_of(connection, table.id)
        if moved.rows_read >= MANY_ROWS:
            connection.execute(sa.text("ANALYZE legacy_rows"))
        return moved


def _fetch(context: MigrationContext, table: TableRun, read_pages: ReadPages) -> None:
    """All pages that are new or changed, then every block of ids that still differs."""
    pages = table.pages if table.pages is not None else _read_first(context, table)
    with context.transaction() as connection:
        marks = tables.migration_pages.c
        done = set(
            connection.execute(sa.select(marks.page).where(marks.table_id == table.id)).scalars()
        )
    read_pages(context, table, [page for page in range(1, pages + 1) if page not in done])
    for _ in range(ROUNDS):
        if _blocks_agree(context, table):
            return


@contextmanager
def _readable(what: str) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise LegacyUnavailable(f"what the old service says of {what} cannot be read") from error


def _read_first(context: MigrationContext, table: TableRun) -> int:
    """Reads the first page, which states the number of rows and the time of the old service."""
    document = read_page(context, table, 1)
    with _readable(f"how many {table.table} there are"):
        pages = max(1, -(-int(document["total"]) // context.legacy.endpoint.page))
        values = {"pages": pages, "watermark": str(document["now"])}
    migrated = tables.migrated_tables
    with context.transaction() as connection:
        connection.execute(migrated.update().where(migrated.c.id == table.id).values(values))
    return pages


def _blocks_agree(context: MigrationContext, table: TableRun) -> bool:
    """Whether all blocks of ids agree with the old service; reads again those that differ."""
    _, document = context.legacy.ask(f"{table.table}/blocks", {"size": archive.BLOCK}, "blocks")
    with context.transaction() as connection, _readable(f"the blocks of {table.table}"):
        differing = archive.differing_blocks(connection, table.table, document["blocks"])
    for block in differing:
        pages = _pages_of_block(context, table, block)
        with context.transaction() as connection:
            archive.store_block(connection, table.table, block, pages)
    return not differing


def _pages_of_block(context: MigrationContext, table: TableRun, block: int) -> list[str]:
    first = block * archive.BLOCK
    id_range = {
        "fromId": first,
        "toId": first + archive.BLOCK - 1,
        "pageSize": context.legacy.endpoint.page,
    }
    pages: list[str] = []
    rows = total = 0
    while not pages or rows < total:
        text, document = context.legacy.ask(
            table.table, {"page": len(pages) + 1, **id_range}, "items"
        )
        pages.append(text)
        with _readable(f"how many {table.table} there are"):
            rows, total = rows + len(document["items"]), int(document["total"])
        if not document["items"]:
            break
    return pages


def _import(connection: Connection, table: TableRun, mapped: Table) -> None:
    imported = import_table(connection, table.table, mapped, _comparison_lists(connection))
    assembled = [name for name, each in shipped_mapping().tables.items() if each.assembled]
    record_faulty_rows(connection, [table.table, *assembled])
    add_counts(connection, table.id, **vars(imported))
    move_table(connection, table.id, TableState.VERIFYING)


def _comparison_lists(connection: Connection) -> dict[str, object]:
    """The lists that rows are checked against."""
    return {
        "authorities": sorted(register_in_use(connection).names),
        "fields": columns_taken_over(connection),
    }


def _verify(context: MigrationContext, table: TableRun, mapped: Table) -> None:
    _, document = context.legacy.ask(f"{table.table}/totals", {}, "totals")
    with _readable(f"the totals of {table.table}"):
        totals = totals_from(document)
    migrated = tables.migrated_tables
    with context.transaction() as connection:
        agrees = check_table(connection, context.migration.id, table.table, mapped, totals)
        rows = sum(total.rows for total in totals.values())
        connection.execute(
            migrated.update().where(migrated.c.id == table.id).values(source_rows=rows)
        )
        end_table(connection, context.migration.id, table, agrees=agrees)


def _calculate_again(context: MigrationContext) -> None:
    with context.transaction() as connection:
        months = months_to_compare(connection)
    for month in months:
        with context.transaction() as connection:
            compare_month(connection, month)
