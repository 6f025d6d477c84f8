"""Migrations: requested, begun, stopped, resumed, ended, signed off; and their tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.access.scope import require
from core.database import tables
from core.database.locks import hold_until_end
from core.database.moving import change_state, lock_row
from core.events.failures import mark_resolved, mark_retried, record_failure
from core.events.outbox import raise_event
from core.migration.importing.importing import Imported
from core.migration.reading.mapping import shipped_mapping
from core.migration.reading.planning import plan_of
from core.support.faults import Fault
from core.user_errors import UserError
from core.vocabulary import event_catalogue
from core.vocabulary.failure_kinds import FailureKind
from core.vocabulary.permissions import Action
from core.vocabulary.states.migration import (
    MIGRATION_MACHINE,
    TABLE_MACHINE,
    MigrationState,
    TableState,
)

OPEN = (MigrationState.PLANNED, MigrationState.RUNNING)
ENDED = (TableState.COMPLETE, TableState.INCOMPLETE)
LOCK = "migrations"  # of two simultaneous requests the second is refused

FAILURE_TEXT = (
    "The migration stopped: {reason}. What was taken over is kept. Reference {reference}."
)


@dataclass(frozen=True)
class Migration:
    """A migration as its steps need it."""

    id: int
    state: MigrationState
    dry_run: bool
    only_table: str | None


@dataclass(frozen=True)
class TableRun:
    """A table of a migration in its current state."""

    id: int
    table: str
    state: TableState
    since: str | None
    pages: int | None
    rows_read: int
    imported: Imported


def request_migration(
    connection: Connection,
    *,
    user_id: int | None,
    dry_run: bool = False,
    only_table: str | None = None,
) -> int:
    """Plans a migration and requests its run; returns its id. Raises ``UserError``."""
    require(connection, user_id, Action.OPERATE)
    require_known_table(only_table)
    lock_migrations(connection)
    _refuse_second(connection)
    runs = tables.migration_runs
    values = {"dry_run": dry_run, "only_table": only_table, "requested_by": user_id}
    made = connection.execute(runs.insert().values(values).returning(runs.c.id))
    run_id = int(made.scalar_one())
    raise_event(
        connection, event_catalogue.MigrationRequested(run_id=run_id, dry_run=dry_run), user_id
    )
    return run_id


def request_or_resume(
    connection: Connection,
    *,
    user_id: int | None,
    reason: str,
    dry_run: bool = False,
    only_table: str | None = None,
) -> int:
    """Resumes the newest migration if it stopped, or requests a new one; returns its id.

    A dry run, or one of a single table, is always a new one. Raises ``UserError``.
    """
    require(connection, user_id, Action.OPERATE)
    stopped = None if dry_run or only_table else _stopped(connection)
    if stopped is None:
        return request_migration(
            connection, user_id=user_id, dry_run=dry_run, only_table=only_table
        )
    resume(connection, stopped, user_id=user_id, reason=reason)
    return stopped


def request_unless_under_way(
    connection: Connection, *, only_table: str, user_id: int | None
) -> None:
    """Requests a migration of one table, unless one is planned that includes it."""
    runs = tables.migration_runs.c
    planned = sa.select(runs.id).where(
        runs.state == MigrationState.PLANNED,
        sa.not_(runs.dry_run),
        sa.or_(runs.only_table.is_(None), runs.only_table == only_table),
    )
    if connection.execute(planned).first() is None:
        request_migration(connection, user_id=user_id, only_table=only_table)


def lock_migrations(connection: Connection, *_: object) -> None:
    """Keeps others from requesting or resuming a migration until the transaction ends."""
    hold_until_end(connection, LOCK)


def require_known_table(name: str | None) -> None:
    """Raises ``UserError`` for a table that the old service does not have."""
    known = shipped_mapping().tables
    if name is not None and name not in known:
        raise UserError(f"the old service has no table {name!r}; it has: {', '.join(known)}")


def load_migration(connection: Connection, run_id: int) -> Migration:
    """A migration in its current state; raises ``UserError`` for an unknown one."""
    runs = tables.migration_runs
    row = connection.execute(sa.select(runs).where(runs.c.id == run_id)).first()
    if row is None:
        raise UserError(f"there is no migration {run_id}")
    return Migration(row.id, MigrationState(row.state), row.dry_run, row.only_table)


def begin_migration(connection: Connection, run_id: int, *, flow_run: str | None) -> None:
    """Moves a planned migration to running; one that runs already continues."""
    runs = tables.migration_runs
    if lock_row(connection, runs, run_id) == MigrationState.PLANNED:
        _move(connection, run_id, MigrationState.RUNNING, started_at=sa.func.now())
    connection.execute(runs.update().where(runs.c.id == run_id).values(flow_run=flow_run))


def plan_tables(connection: Connection, run_id: int) -> None:
    """Writes the tables of a migration in order of dependency; existing ones stay."""
    only_table = load_migration(connection, run_id).only_table
    rows = [
        {"run_id": run_id, "legacy_table": name, "position": position}
        for position, name in enumerate(plan_of(shipped_mapping()))
        if only_table in (None, name)
    ]
    connection.execute(insert(tables.migrated_tables).values(rows).on_conflict_do_nothing())


def tables_of(connection: Connection, run_id: int) -> list[TableRun]:
    """The tables of a migration in the order in which they are taken over."""
    migrated = tables.migrated_tables.c
    query = sa.select(tables.migrated_tables).where(migrated.run_id == run_id)
    return [_table(row) for row in connection.execute(query.order_by(migrated.position))]


def table_of(connection: Connection, table_id: int) -> TableRun:
    """A table of a migration in its current state."""
    migrated = tables.migrated_tables
    return _table(connection.execute(sa.select(migrated).where(migrated.c.id == table_id)).one())


def _table(row: sa.Row[Any]) -> TableRun:
    counts = Imported(row.new, row.changed, row.failed, row.gone)
    state = TableState(row.state)
    return TableRun(row.id, row.legacy_table, state, row.since, row.pages, row.rows_read, counts)


def begin_fetching(connection: Connection, table: TableRun) -> str | None:
    """Moves a table to fetching; returns the time from which changes are read, None: all rows."""
    since = _watermark(connection, table.table)
    move_table(connection, table.id, TableState.FETCHING, since=since, started_at=sa.func.now())
    return since


def _watermark(connection: Connection, name: str) -> str | None:
    """The time in the old service when the table was last fetched and then fully taken over."""
    migrated = tables.migrated_tables.c
    query = (
        sa.select(migrated.watermark)
        .where(
            migrated.legacy_table == name,
            migrated.state.in_(ENDED),
            migrated.watermark.is_not(None),
        )
        .order_by(migrated.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar()


def move_table(connection: Connection, table_id: int, state: TableState, **values: Any) -> None:
    """Moves a table of a migration to another state."""
    change_state(connection, tables.migrated_tables, TABLE_MACHINE, table_id, state, **values)


def add_counts(connection: Connection, table_id: int, **counts: int) -> None:
    """Adds to the counts of a table."""
    migrated = tables.migrated_tables
    values = {name: migrated.c[name] + number for name, number in counts.items() if number}
    if values:
        connection.execute(migrated.update().where(migrated.c.id == table_id).values(values))


def end_table(connection: Connection, run_id: int, table: TableRun, *, agrees: bool) -> None:
    """Ends a table whose rows are imported and verified, and raises the event."""
    imported = table.imported
    clean = agrees and not imported.failed
    state = TableState.COMPLETE if clean else TableState.INCOMPLETE
    move_table(connection, table.id, state, finished_at=sa.func.now())
    event = event_catalogue.MigrationTableFinished(
        run_id=run_id, table=table.table, **vars(imported)
    )
    raise_event(connection, event)


def end_migration(
    connection: Connection, run_id: int, summary: dict[str, Any], *, clean: bool
) -> None:
    """Ends a migration whose tables have all ended."""
    state = MigrationState.COMPLETE if clean else MigrationState.INCOMPLETE
    _move(connection, run_id, state, finished_at=sa.func.now(), summary=summary)
    mark_resolved(connection, f"migration/{run_id}", why=f"the migration is {state}")
    word: Any = str(state)
    counts = {name: summary[name] for name in ("new", "changed", "gone", "failed")}
    raise_event(connection, event_catalogue.MigrationFinished(run_id=run_id, state=word, **counts))


def fail_migration(connection: Connection, run_id: int, fault: Fault) -> str:
    """Stops a migration, which keeps what was taken over; returns the reference of the failure."""
    lock_row(connection, tables.migration_runs, run_id)
    reference = record_failure(
        connection,
        FailureKind.MIGRATION,
        fault,
        subject=f"migration/{run_id}",
        title=f"migration {run_id}",
        payload={"run_id": run_id},
    )
    text = FAILURE_TEXT.format(reason=fault.reason.rstrip("."), reference=reference)
    _move(connection, run_id, MigrationState.FAILED, reference, failure=text)
    raise_event(connection, event_catalogue.MigrationFailed(run_id=run_id, reason=reference))
    return reference


def resume(connection: Connection, run_id: int, *, user_id: int | None, reason: str) -> None:
    """Resumes a migration that stopped; one that runs needs nothing.

    Raises ``UserError`` while another is under way.
    """
    require(connection, user_id, Action.OPERATE)
    lock_migrations(connection)
    state = lock_row(connection, tables.migration_runs, run_id)
    if state in OPEN:
        return
    if state != MigrationState.FAILED:
        raise UserError(f"migration {run_id} is {state}; ask for a new one")
    _refuse_second(connection)
    cleared = {"failure": None, "finished_at": None}
    _move(connection, run_id, MigrationState.RUNNING, reason, user_id=user_id, **cleared)
    mark_retried(connection, f"migration/{run_id}", why=reason, user_id=user_id)
    before = _request_event(connection, run_id)
    raise_event(connection, before.model_copy(update={"again": before.again + 1}), user_id)


def _stopped(connection: Connection) -> int | None:
    """The newest migration, if it stopped and can be resumed."""
    runs = tables.migration_runs.c
    row = connection.execute(
        sa.select(runs.id, runs.state).order_by(runs.id.desc()).limit(1)
    ).first()
    return row.id if row is not None and row.state == MigrationState.FAILED else None


def sign_off(
    connection: Connection, run_id: int, *, user_id: int | None, name: str, note: str
) -> None:
    """Records that a person confirms what a migration took over; raises ``UserError``."""
    require(connection, user_id, Action.OPERATE)
    runs = tables.migration_runs
    migration = load_migration(connection, run_id)
    lock_row(connection, runs, run_id)
    if migration.state not in (MigrationState.COMPLETE, MigrationState.INCOMPLETE):
        raise UserError(f"migration {run_id} is {migration.state}; what has ended can be signed")
    if migration.dry_run:
        raise UserError("a dry run takes nothing over; there is nothing to sign")
    values = {
        "signed_by": user_id,
        "signed_name": name,
        "signed_at": sa.func.now(),
        "sign_note": note.strip() or None,
    }
    free = sa.and_(runs.c.id == run_id, runs.c.signed_at.is_(None))
    if not connection.execute(runs.update().where(free).values(values)).rowcount:
        raise UserError(f"migration {run_id} is signed already")
    connection.execute(
        tables.audit.insert().values(
            user_id=user_id, action="migration signed", subject=f"migration:{run_id}", reason=note
        )
    )
    raise_event(connection, event_catalogue.MigrationSigned(run_id=run_id, by=name), user_id)


def _request_event(connection: Connection, run_id: int) -> event_catalogue.MigrationRequested:
    events = tables.events.c
    payload = connection.execute(
        sa.select(events.payload)
        .where(
            events.subject == f"migration/{run_id}",
            events.name == event_catalogue.MigrationRequested.name,
        )
        .order_by(events.id.desc())
        .limit(1)
    ).scalar_one()
    return event_catalogue.MigrationRequested.model_validate(payload)


def _move(
    connection: Connection, run_id: int, state: MigrationState, reason: str = "", **values: Any
) -> None:
    change_state(
        connection, tables.migration_runs, MIGRATION_MACHINE, run_id, state, reason=reason, **values
    )


def _refuse_second(connection: Connection) -> None:
    runs = tables.migration_runs
    standing = connection.execute(sa.select(runs.c.id).where(runs.c.state.in_(OPEN))).scalar()
    if standing is not None:
        raise UserError(f"migration {standing} is under way; ask again when it has ended")
