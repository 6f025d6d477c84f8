"""The chunks of a file check: each is checked and stored in one transaction."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from core.submissions.commands.check_stored_file import CheckContext, check_raw_chunk
from core.submissions.commands.file_checks import ChunkCounts
from tasks.faults import RETRYING, without_error_text


@task(
    name="check rows",
    task_run_name="check rows {first}-{last}",
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRYING,
)
@without_error_text
def check_rows(context: CheckContext, chunk: int, first: int, last: int) -> ChunkCounts:  # noqa: ARG001
    """Checks the raw chunk of the context, from row ``first`` to ``last``, and stores it."""
    return check_raw_chunk(context, chunk)
