"""A page of the old service: read and kept, at most a few at once."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from core.migration.runs import TableRun
from core.migration.working import Bench, read_page
from tasks.faults import RETRYING


@task(
    name="read page",
    task_run_name="{table.table} page {page}",
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRYING,
)
def read_one_page(bench: Bench, table: TableRun, page: int) -> None:
    """Reads one page of a table and keeps its rows; one that was kept already changes nothing."""
    read_page(bench, table, page)
