"""Check a file: read it once, check and store it chunk by chunk, say how it ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial

import pyarrow as pa
from prefect import flow, get_run_logger
from prefect.futures import PrefectFuture
from sqlalchemy import Connection, Engine

from core.engine.reading import Reading, open_file
from core.files.store import open_store
from core.settings import settings
from core.submissions.commands.failing import fail_check
from core.submissions.commands.file_checks import (
    ChunkCounts,
    FileCheckInputs,
    begin_file_check,
    expect_chunks,
    finish_file_check,
    load_file_check,
    waits_for_look,
)
from core.submissions.event_names import names_of_file
from core.support.faults import Cause
from core.vocabulary.states.submissions import FileState
from flows.running import alone_on, chunk_threads, failing
from tasks.checking import CheckBench, check_rows
from tasks.progress import ProgressBar


@flow(
    name="check-file",
    task_runner=chunk_threads(),
    persist_result=False,
)
def check_file(file_id: int) -> str:
    """Checks one uploaded file and returns the state it ends in."""
    return alone_on("file", file_id, partial(_check, file_id))


def _check(file_id: int, engine: Engine) -> str:
    with failing(engine, f"check of file {file_id}", partial(_fail, file_id)):
        with engine.begin() as connection:
            check = load_file_check(connection, file_id)
            done = begin_file_check(connection, check)
        return _carry_out(engine, check, done)


def _carry_out(engine: Engine, check: FileCheckInputs, done: set[int]) -> str:
    bench = CheckBench(engine, check)
    with open_store().local_path(check.storage_key) as path:
        reading = open_file(
            path,
            check.specification,
            name=check.name,
            transpose=check.transpose,
            chunk_rows=settings().chunk_rows,
            headings=check.headings,
        )
        with reading:
            with engine.begin() as connection:
                if waits_for_look(connection, check, reading):
                    return FileState.UNCONFIRMED
                expect_chunks(connection, check, reading.expected_chunks())
            _check_chunks(bench, reading, done)
            return _finish(bench, reading)


def _fail(file_id: int, connection: Connection, cause: Cause) -> str:
    return fail_check(connection, names_of_file(connection, file_id), cause)


def _check_chunks(bench: CheckBench, reading: Reading, done: set[int]) -> None:
    """Maps the chunks over the task runner, a few at a time so that memory stays bounded."""
    progress = ProgressBar(f"check-file-{bench.check.file_id}", f"Checking {bench.check.name}")
    waiting: deque[PrefectFuture[ChunkCounts]] = deque()
    counts: list[ChunkCounts] = []
    for number, chunk in _chunks_to_do(reading, done):
        bench.raw[number] = chunk
        first, last = chunk["row"][0].as_py(), chunk["row"][-1].as_py()
        waiting.append(check_rows.submit(bench, number, first, last))
        if len(waiting) > 2 * settings().task_threads:
            counts.append(waiting.popleft().result())
            progress.step()
    for future in waiting:
        counts.append(future.result())
        progress.step()
    progress.finish(f"{sum(count.records for count in counts):,} records")


def _chunks_to_do(reading: Reading, done: set[int]) -> Iterator[tuple[int, pa.Table]]:
    if reading.refused:
        return
    for number, chunk in enumerate(reading.chunks()):
        if number not in done and chunk.num_rows:
            yield number, chunk


def _finish(bench: CheckBench, reading: Reading) -> str:
    file_errors = (
        reading.errors
        if reading.refused
        else pa.concat_tables([reading.errors, reading.late_errors()])
    )
    with bench.engine.begin() as connection:
        state = finish_file_check(
            connection,
            bench.check,
            headings=reading.headings,
            file_errors=file_errors,
            refused=reading.refused,
        )
    get_run_logger().info("%s is %s", bench.check.name, state)
    return str(state)
