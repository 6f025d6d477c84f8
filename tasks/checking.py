"""The chunks of a file check: each is checked and stored in one transaction."""

from __future__ import annotations

import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import Engine

from core.submissions.commands.file_checks import (
    ChunkCounts,
    FileCheckInputs,
    check_and_correct,
    store_chunk,
)
from tasks.faults import RETRYING


class CheckBench:
    """What the chunks of one file check share; raw chunks wait here for their task.

    Values stay on the bench and tasks pass chunk numbers: Prefect would keep every value that goes
    through its hands until the flow ends.
    """

    def __init__(self, engine: Engine, check: FileCheckInputs) -> None:
        self.engine = engine
        self.check = check
        self.raw: dict[int, pa.Table] = {}


@task(
    name="check rows",
    task_run_name="check rows {first}-{last}",
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRYING,
)
def check_rows(bench: CheckBench, chunk: int, first: int, last: int) -> ChunkCounts:  # noqa: ARG001
    """Checks the raw chunk on the bench, stores records and errors, and takes it off."""
    checked = check_and_correct(bench.check, bench.raw[chunk])
    with bench.engine.begin() as connection:
        counts = store_chunk(connection, bench.check, chunk, checked)
    del bench.raw[chunk]
    return counts
