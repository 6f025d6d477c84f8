"""Pages of the old service: read and kept, so many in a task that it is worth one."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from core.migration.migrate_table import Bench, read_page
from core.migration.runs import TableRun
from tasks.faults import RETRYING, hushed

PAGES_A_TASK = 8


@task(
    name="read pages",
    task_run_name="{table.table} from page {pages[0]}",
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRYING,
)
@hushed
def read_some_pages(bench: Bench, table: TableRun, pages: Sequence[int]) -> None:
    """Reads pages of a table and keeps their rows; what was kept already changes nothing."""
    for page in pages:
        read_page(bench, table, page)


def in_tasks(pages: Sequence[int]) -> list[Sequence[int]]:
    """The pages of each task."""
    return [pages[at : at + PAGES_A_TASK] for at in range(0, len(pages), PAGES_A_TASK)]
