"""Pages of the old service: read and stored, several in one task."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from core.migration.migrate_table import MigrationContext, read_page
from core.migration.runs import TableRun
from tasks.faults import RETRYING, without_error_text

PAGES_A_TASK = 8


@task(
    name="read pages",
    task_run_name="{table.table} from page {pages[0]}",
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRYING,
)
@without_error_text
def read_some_pages(context: MigrationContext, table: TableRun, pages: Sequence[int]) -> None:
    """Reads pages of a table and stores their rows; idempotent."""
    for page in pages:
        read_page(context, table, page)


def page_groups(pages: Sequence[int]) -> list[Sequence[int]]:
    """The pages of each task."""
    return [pages[at : at + PAGES_A_TASK] for at in range(0, len(pages), PAGES_A_TASK)]
