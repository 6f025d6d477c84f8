"""The progress of a migration, table by table, and the results of migrations."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.database import tables
from core.events.failures import OPEN
from core.migration.runs import load_migration
from core.vocabulary.failure_kinds import FailureKind
from core.vocabulary.permissions import Action
from core.vocabulary.states.migration import MigrationState, TableState


@dataclass(frozen=True)
class TableProgress:
    """A table of a migration as it is shown to people."""

    table: str
    state: TableState
    source_rows: int | None
    rows_read: int
    new: int
    changed: int
    gone: int
    failed: int


@dataclass(frozen=True)
class MigrationProgress:
    """A migration as it is shown to people."""

    id: int
    state: MigrationState
    dry_run: bool
    only_table: str | None
    requested_at: dt.datetime
    finished_at: dt.datetime | None
    failure: str | None
    summary: dict[str, Any] | None
    report_key: str | None
    signed_name: str | None
    signed_at: dt.datetime | None
    sign_note: str | None
    tables: tuple[TableProgress, ...]

    @property
    def moving(self) -> bool:
        return self.state in (MigrationState.PLANNED, MigrationState.RUNNING)

    @property
    def done(self) -> int:
        """The number of tables that have ended."""
        ended = (TableState.COMPLETE, TableState.INCOMPLETE)
        return sum(table.state in ended for table in self.tables)

    @property
    def may_be_signed(self) -> bool:
        ended = self.state in (MigrationState.COMPLETE, MigrationState.INCOMPLETE)
        return ended and not self.dry_run and self.signed_at is None


def progress_of(connection: Connection, scope: Scope, run_id: int) -> MigrationProgress:
    """The progress of a migration, for operators; raises ``UserError`` for an unknown one."""
    scope.require(Action.OPERATE)
    load_migration(connection, run_id)
    runs = tables.migration_runs
    row = connection.execute(sa.select(runs).where(runs.c.id == run_id)).one()
    return MigrationProgress(
        id=row.id,
        state=MigrationState(row.state),
        dry_run=row.dry_run,
        only_table=row.only_table,
        requested_at=row.requested_at,
        finished_at=row.finished_at,
        failure=row.failure,
        summary=row.summary,
        report_key=row.report_key,
        signed_name=row.signed_name,
        signed_at=row.signed_at,
        sign_note=row.sign_note,
        tables=_tables(connection, run_id),
    )


def newest_migrations(connection: Connection, scope: Scope, limit: int = 10) -> list[int]:
    """The ids of migrations, the newest first; for operators."""
    scope.require(Action.OPERATE)
    runs = tables.migration_runs.c
    query = sa.select(runs.id).order_by(runs.id.desc()).limit(limit)
    return list(connection.execute(query).scalars())


@dataclass(frozen=True)
class FaultyRow:
    """A row of the old service in the error queue; ``row`` is its id there, if it has one."""

    table: str
    row: int | None
    reference: str
    reason: str


def rows_in_error(connection: Connection, scope: Scope, limit: int = 200) -> list[FaultyRow]:
    """The first rows that wait in the error queue, by table and id; for operators."""
    scope.require(Action.OPERATE)
    failures = tables.failures.c
    table, row = failures.payload["table"].astext, failures.payload["row"].as_integer()
    query = (
        sa.select(table, row, failures.reference, failures.reason)
        .where(failures.kind == FailureKind.LEGACY_ROW, failures.state.in_(OPEN))
        .order_by(table, row)
        .limit(limit)
    )
    return [
        FaultyRow(row[0], row[1] if row[1] > 0 else None, *row[2:])
        for row in connection.execute(query)
    ]


def _tables(connection: Connection, run_id: int) -> tuple[TableProgress, ...]:
    migrated = tables.migrated_tables.c
    query = (
        sa.select(
            migrated.legacy_table,
            migrated.state,
            migrated.source_rows,
            migrated.rows_read,
            migrated.new,
            migrated.changed,
            migrated.gone,
            migrated.failed,
        )
        .where(migrated.run_id == run_id)
        .order_by(migrated.position)
    )
    return tuple(
        TableProgress(row[0], TableState(row[1]), *row[2:]) for row in connection.execute(query)
    )
