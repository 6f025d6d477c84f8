"""Check a file: read it once, check and store it chunk by chunk, and end in a state."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import partial

from prefect import flow, get_run_logger
from prefect.futures import PrefectFuture
from sqlalchemy import Connection, Engine

from core.files.store import open_store
from core.settings import settings
from core.submissions.commands.check_stored_file import (
    CheckContext,
    NumberedChunk,
    check_stored_file,
)
from core.submissions.commands.failing import fail_check
from core.submissions.commands.file_checks import ChunkCounts
from core.submissions.event_names import names_of_file
from core.support.bounded import bounded
from core.support.faults import Fault
from flows.running import chunk_threads, recording_failure, run_exclusively
from tasks.checking import check_rows
from tasks.progress import ProgressBar


@flow(
    name="check-file",
    task_runner=chunk_threads(),
    persist_result=False,
)
def check_file(file_id: int) -> str:
    """Checks one uploaded file and returns the state it ends in."""
    return run_exclusively("file", file_id, partial(_check, file_id))


def _check(file_id: int, engine: Engine) -> str:
    with (
        recording_failure(engine, f"check of file {file_id}", partial(_fail, file_id)),
        bounded(settings().check_bytes, settings().check_seconds),
    ):
        state = check_stored_file(
            engine,
            open_store(),
            file_id,
            chunk_rows=settings().chunk_rows,
            run_chunks=_run_chunks,
            most_findings=settings().check_findings,
        )
    get_run_logger().info("file %s is %s", file_id, state)
    return str(state)


def _fail(file_id: int, connection: Connection, fault: Fault) -> str:
    return fail_check(connection, names_of_file(connection, file_id), fault)


def _run_chunks(context: CheckContext, chunks: Iterable[NumberedChunk]) -> None:
    """Submits the chunks to the task runner, a few at a time so that memory stays bounded."""
    file_id = context.check.file_id
    progress = ProgressBar(f"check-file-{file_id}", f"Checking file {file_id}")
    waiting: deque[PrefectFuture[ChunkCounts]] = deque()
    counts: list[ChunkCounts] = []
    for number, chunk in chunks:
        context.raw[number] = chunk
        first, last = chunk["row"][0].as_py(), chunk["row"][-1].as_py()
        waiting.append(check_rows.submit(context, number, first, last))
        if len(waiting) > 2 * settings().task_threads:
            counts.append(waiting.popleft().result())
            progress.step()
    for future in waiting:
        counts.append(future.result())
        progress.step()
    progress.finish(f"{sum(count.records for count in counts):,} records")
