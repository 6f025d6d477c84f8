"""Carries out a migration, table by table: fetch, import, verify; each step is a transaction.

What is done is marked in the transaction that does it, so a migration that was killed goes on with
the step it was in. A dry run is the same work in one transaction that is taken back.
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
from core.configurations.datasets import current_specification
from core.database import tables
from core.migration.importing.importing import import_table, rule_of
from core.migration.reading import archive
from core.migration.reading.legacy import Legacy, LegacyAway
from core.migration.reading.mapping import Table, shipped_mapping
from core.migration.row_failures import record_faulty
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
from core.support.faults import passes
from core.user_errors import UserError
from core.vocabulary.states.migration import TableState

ROUNDS = 5
"""How often the blocks of a table are compared and read again while the old service changes it."""
MANY_ROWS = 1000
"""After so many new rows PostgreSQL is told how they are spread."""


class StepRefused(UserError):
    """The database refused a step; says which rule of it, never what stood in a row."""

    def __init__(self, error: DBAPIError) -> None:
        super().__init__(f"the database refused a step of the migration ({rule_of(error)})")


@contextmanager
def _without_values() -> Iterator[None]:
    """What the database says of a fault may hold values of rows, and is logged by others."""
    try:
        yield
    except DBAPIError as error:
        if passes(error):
            raise
        raise StepRefused(error) from None


@dataclass
class Bench:
    """What the steps of one migration share."""

    engine: Engine
    migration: Migration
    legacy: Legacy
    only: Connection | None = None  # of a dry run
    _turn: RLock = field(default_factory=RLock)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction of its own, or the one of a dry run, for one thread at a time."""
        with _without_values():
            if self.only is None:
                with self.engine.begin() as connection:
                    yield connection
            else:
                with self._turn, self.only.begin_nested():
                    yield self.only


ReadPages = Callable[[Bench, TableRun, Sequence[int]], None]
"""Reads pages of a table, several at once or one after the other."""
Say = Callable[[str], None]


def carry_out(bench: Bench, read_pages: ReadPages, say: Say) -> dict[str, Any]:
    """All of a migration but its end; gives what it came to."""
    with bench.transaction() as connection:
        plan_tables(connection, bench.migration.id)
        known = tables_of(connection, bench.migration.id)
    for table in known:
        if table.state not in ENDED:
            say(table.table)
            _take_over(bench, table, read_pages)
    say("months are calculated again")
    _calculate_again(bench)
    with bench.transaction() as connection:
        return summary_of(connection, bench.migration.id)


def rehearse(bench: Bench, read_pages: ReadPages, say: Say) -> dict[str, Any]:
    """The same as a dry run: it is carried out in one transaction, which is taken back."""
    with bench.engine.connect() as connection, connection.begin() as whole:
        bench.only = connection
        try:
            return carry_out(bench, read_pages, say)
        finally:
            bench.only = None
            whole.rollback()


def finish(connection: Connection, bench: Bench, summary: dict[str, Any]) -> None:
    """Ends the migration, whose summary says whether all went well."""
    end_migration(connection, bench.migration.id, summary, clean=summary["clean"])


def read_page(bench: Bench, table: TableRun, page: int) -> dict[str, Any]:
    """Reads one page and keeps its rows, unless that was done already; gives the answer."""
    size = bench.legacy.door.page
    since = {} if table.since is None else {"changedSince": table.since}
    text, document = bench.legacy.ask(
        table.table, {"page": page, "pageSize": size, **since}, "items"
    )
    with bench.transaction() as connection:
        archive.keep_pages(connection, table.table, [text])
        marks = insert(tables.migration_pages).values(table_id=table.id, page=page)
        marked = connection.execute(marks.on_conflict_do_nothing())
        if marked.rowcount:
            add_counts(connection, table.id, rows_read=len(document["items"]))
    return dict(document)


def _take_over(bench: Bench, table: TableRun, read_pages: ReadPages) -> None:
    mapped = shipped_mapping().tables[table.table]
    if table.state == TableState.PLANNED:
        with bench.transaction() as connection:
            begin_fetching(connection, table)
            table = table_of(connection, table.id)
    if table.state == TableState.FETCHING:
        _fetch(bench, table, read_pages)
        table = _reached(bench, table, TableState.IMPORTING)
    if table.state == TableState.IMPORTING:
        with bench.transaction() as connection:
            _import(connection, table, mapped)
            table = table_of(connection, table.id)
    _verify(bench, table, mapped)


def _reached(bench: Bench, table: TableRun, state: TableState) -> TableRun:
    with bench.transaction() as connection:
        move_table(connection, table.id, state)
        moved = table_of(connection, table.id)
        if moved.rows_read >= MANY_ROWS:
            connection.execute(sa.text("ANALYZE legacy_rows"))
        return moved


def _fetch(bench: Bench, table: TableRun, read_pages: ReadPages) -> None:
    """All pages that are new or changed, then every block of ids that still differs."""
    pages = table.pages if table.pages is not None else _read_first(bench, table)
    with bench.transaction() as connection:
        marks = tables.migration_pages.c
        done = set(
            connection.execute(sa.select(marks.page).where(marks.table_id == table.id)).scalars()
        )
    read_pages(bench, table, [page for page in range(1, pages + 1) if page not in done])
    for _ in range(ROUNDS):
        if _settled(bench, table):
            return


@contextmanager
def _readable(what: str) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise LegacyAway(f"what the old service says of {what} cannot be read") from error


def _read_first(bench: Bench, table: TableRun) -> int:
    """The first page says how many there are, and what time it is there."""
    document = read_page(bench, table, 1)
    with _readable(f"how many {table.table} there are"):
        pages = max(1, -(-int(document["total"]) // bench.legacy.door.page))
        values = {"pages": pages, "watermark": str(document["now"])}
    found = tables.migrated_tables
    with bench.transaction() as connection:
        connection.execute(found.update().where(found.c.id == table.id).values(values))
    return pages


def _settled(bench: Bench, table: TableRun) -> bool:
    """Whether all blocks of ids are here as they are there; those that are not are read again."""
    _, document = bench.legacy.ask(f"{table.table}/blocks", {"size": archive.BLOCK}, "blocks")
    with bench.transaction() as connection, _readable(f"the blocks of {table.table}"):
        differing = archive.differing_blocks(connection, table.table, document["blocks"])
    for block in differing:
        pages = _pages_of_block(bench, table, block)
        with bench.transaction() as connection:
            archive.keep_block(connection, table.table, block, pages)
    return not differing


def _pages_of_block(bench: Bench, table: TableRun, block: int) -> list[str]:
    first = block * archive.BLOCK
    wanted = {
        "fromId": first,
        "toId": first + archive.BLOCK - 1,
        "pageSize": bench.legacy.door.page,
    }
    pages: list[str] = []
    rows = total = 0
    while not pages or rows < total:
        text, document = bench.legacy.ask(table.table, {"page": len(pages) + 1, **wanted}, "items")
        pages.append(text)
        with _readable(f"how many {table.table} there are"):
            rows, total = rows + len(document["items"]), int(document["total"])
        if not document["items"]:
            break
    return pages


def _import(connection: Connection, table: TableRun, mapped: Table) -> None:
    done = import_table(connection, table.table, mapped, _context(connection))
    assembled = [name for name, each in shipped_mapping().tables.items() if each.assembled]
    record_faulty(connection, [table.table, *assembled])
    add_counts(connection, table.id, **vars(done))
    move_table(connection, table.id, TableState.VERIFYING)


def _context(connection: Connection) -> dict[str, object]:
    """The lists that rows are compared with."""
    return {
        "authorities": sorted(register_in_use(connection).names),
        "fields": sorted(current_specification(connection).columns),
    }


def _verify(bench: Bench, table: TableRun, mapped: Table) -> None:
    _, document = bench.legacy.ask(f"{table.table}/totals", {}, "totals")
    with _readable(f"the totals of {table.table}"):
        theirs = totals_from(document)
    found = tables.migrated_tables
    with bench.transaction() as connection:
        agrees = check_table(connection, bench.migration.id, table.table, mapped, theirs)
        rows = sum(each.rows for each in theirs.values())
        connection.execute(found.update().where(found.c.id == table.id).values(source_rows=rows))
        end_table(connection, bench.migration.id, table, agrees=agrees)


def _calculate_again(bench: Bench) -> None:
    with bench.transaction() as connection:
        months = months_to_compare(connection)
    for month in months:
        with bench.transaction() as connection:
            compare_month(connection, month)
