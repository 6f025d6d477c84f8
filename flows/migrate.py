"""Migrate: take over the data of the old service, table by table, and compare what is here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from prefect import flow, get_run_logger
from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from sqlalchemy import Connection, Engine

from core.database.locks import BusyError
from core.events.failures import Cause
from core.migration.legacy import Door, Legacy
from core.migration.report import keep_report
from core.migration.runs import (
    OPEN,
    Migration,
    TableRun,
    begin_migration,
    fail_migration,
    load_migration,
)
from core.migration.working import Bench, carry_out, finish, rehearse
from core.settings import settings
from flows.running import failing, flow_run_id, working_on
from tasks.migrating import in_tasks, read_some_pages
from tasks.progress import ProgressBar


def page_threads() -> TaskRunner[PrefectFuture[Any]]:
    """Reads so many pages at once as settings allow."""
    runner = ThreadPoolTaskRunner[Any](max_workers=settings().legacy_requests)
    return cast("TaskRunner[PrefectFuture[Any]]", runner)


@flow(name="migrate", task_runner=page_threads(), persist_result=False)
def migrate(run_id: int) -> str:
    """Carries out one migration; one that is taken up again goes on where it stopped."""
    try:
        with working_on("migration", run_id) as engine:
            return _migrate(engine, run_id)
    except BusyError as other:
        get_run_logger().warning("%s", other)
        return str(other)


def _migrate(engine: Engine, run_id: int) -> str:
    with engine.begin() as connection:
        migration = load_migration(connection, run_id)
        if migration.state not in OPEN:
            return f"migration {run_id} is {migration.state} already"
        begin_migration(connection, run_id, flow_run=flow_run_id())

    def fail(connection: Connection, cause: Cause) -> str:
        return fail_migration(connection, run_id, cause)

    with (
        failing(engine, f"migration {run_id}", fail),
        Legacy(Door.of(settings())) as legacy,
    ):
        summary = _carry_out(engine, migration, legacy)
    return f"{summary['new']:,} new, {summary['changed']:,} changed, {summary['failed']:,} failed"


def _carry_out(engine: Engine, migration: Migration, legacy: Legacy) -> dict[str, Any]:
    progress = ProgressBar(f"migration-{migration.id}", "Tables of the old service")
    bench = Bench(engine, migration, legacy)
    if migration.dry_run:
        summary = rehearse(bench, _one_by_one, progress.step)
    else:
        summary = carry_out(bench, _all_at_once, progress.step)
    with engine.begin() as connection:
        if not migration.dry_run:
            keep_report(connection, migration.id, summary)
        finish(connection, bench, summary)
    progress.finish(f"{summary['new']:,} new")
    return summary


def _all_at_once(bench: Bench, table: TableRun, pages: Sequence[int]) -> None:
    futures = [read_some_pages.submit(bench, table, some) for some in in_tasks(pages)]
    for future in as_completed(futures):
        future.result()


def _one_by_one(bench: Bench, table: TableRun, pages: Sequence[int]) -> None:
    """All in the one transaction of a dry run."""
    for some in in_tasks(pages):
        read_some_pages(bench, table, some)
