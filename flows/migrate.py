"""Migrate: take over the data of the old service, table by table, and verify them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from prefect import flow
from prefect.futures import as_completed
from sqlalchemy import Connection, Engine

from core.migration.migrate_table import MigrationContext, carry_out, finish, rehearse
from core.migration.reading.legacy import LegacyClient, LegacyEndpoint
from core.migration.runs import (
    OPEN,
    Migration,
    TableRun,
    begin_migration,
    fail_migration,
    load_migration,
)
from core.migration.verifying.report import store_report
from core.settings import settings
from core.support.faults import Fault
from flows.running import flow_run_id, recording_failure, run_exclusively, threads
from tasks.migrating import page_groups, read_some_pages
from tasks.progress import ProgressBar


@flow(name="migrate", task_runner=threads(settings().legacy_requests), persist_result=False)
def migrate(run_id: int) -> str:
    """Carries out one migration; a resumed one continues where it stopped."""
    return run_exclusively("migration", run_id, partial(_migrate, run_id))


def _migrate(run_id: int, engine: Engine) -> str:
    with engine.begin() as connection:
        migration = load_migration(connection, run_id)
        if migration.state not in OPEN:
            return f"migration {run_id} is {migration.state} already"
        begin_migration(connection, run_id, flow_run=flow_run_id())

    def fail(connection: Connection, fault: Fault) -> str:
        return fail_migration(connection, run_id, fault)

    with (
        recording_failure(engine, f"migration {run_id}", fail),
        LegacyClient(LegacyEndpoint.of(settings())) as legacy,
    ):
        summary = _carry_out(engine, migration, legacy)
    return f"{summary['new']:,} new, {summary['changed']:,} changed, {summary['failed']:,} failed"


def _carry_out(engine: Engine, migration: Migration, legacy: LegacyClient) -> dict[str, Any]:
    progress = ProgressBar(f"migration-{migration.id}", "Tables of the old service")
    context = MigrationContext(engine, migration, legacy)
    if migration.dry_run:
        summary = rehearse(context, _one_by_one, progress.step)
    else:
        summary = carry_out(context, _all_at_once, progress.step)
    with engine.begin() as connection:
        if not migration.dry_run:
            store_report(connection, migration.id, summary)
        finish(connection, context, summary)
    progress.finish(f"{summary['new']:,} new")
    return summary


def _all_at_once(context: MigrationContext, table: TableRun, pages: Sequence[int]) -> None:
    futures = [read_some_pages.submit(context, table, group) for group in page_groups(pages)]
    for future in as_completed(futures):
        future.result()


def _one_by_one(context: MigrationContext, table: TableRun, pages: Sequence[int]) -> None:
    """Reads pages one after the other, in the one transaction of a dry run."""
    for group in page_groups(pages):
        read_some_pages(context, table, group)
