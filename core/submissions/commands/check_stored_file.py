"""Checks a stored file: opens it, checks and stores it chunk by chunk, and says how it ended.

Flows, tests and commands run these lines; they differ in how they run the chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pyarrow as pa
from sqlalchemy import Engine

from core.engine.offline.kept_findings import MOST_FINDINGS, too_many_findings
from core.engine.reading import Reading, open_file
from core.files.store import FileStore
from core.submissions.commands.file_checks import (
    ChunkCounts,
    FileCheckInputs,
    begin_file_check,
    check_and_correct,
    finish_file_check,
    load_file_check,
    set_expected_chunks,
    store_chunk,
    wait_for_confirmation,
)
from core.vocabulary.states.submissions import FileState


@dataclass(eq=False)
class CheckContext:
    """What the chunks of one file check share; raw chunks wait here until they are checked.

    Values stay in the context and whoever runs chunks passes their numbers: a scheduler would keep
    every value that goes through its hands until the check ends.
    """

    engine: Engine
    check: FileCheckInputs
    most_findings: int = MOST_FINDINGS
    raw: dict[int, pa.Table] = field(default_factory=dict)
    findings: dict[int, int] = field(default_factory=dict)  # how many each chunk has

    @property
    def too_many(self) -> bool:
        """Whether the file is not what its data set describes, so that no more of it is stored."""
        return sum(list(self.findings.values())) > self.most_findings


NumberedChunk = tuple[int, pa.Table]
RunChunks = Callable[[CheckContext, Iterable[NumberedChunk]], None]
"""Runs ``check_raw_chunk`` for each numbered chunk, in any order, and ends when all are done."""


def check_stored_file(
    engine: Engine,
    store: FileStore,
    file_id: int,
    *,
    chunk_rows: int,
    run_chunks: RunChunks,
    most_findings: int = MOST_FINDINGS,
) -> FileState:
    """Checks one uploaded file and returns the state it ends in.

    A check that stopped is resumed: stored chunks are not checked again. A file with more than
    ``most_findings`` errors and warnings is refused, and the rest of it is not stored.
    """
    with engine.begin() as connection:
        check = load_file_check(connection, file_id)
        done = begin_file_check(connection, check)
    with (
        store.local_path(check.storage_key) as path,
        open_file(
            path,
            check.specification,
            name=check.name,
            transpose=check.transpose,
            sheet=check.sheet,
            chunk_rows=chunk_rows,
            headings=check.headings,
            heading_row=check.heading_row,
        ) as reading,
    ):
        with engine.begin() as connection:
            if wait_for_confirmation(connection, check, reading):
                return FileState.UNCONFIRMED
            set_expected_chunks(connection, check, reading.expected_chunks())
        context = CheckContext(engine, check, most_findings)
        run_chunks(context, reading.numbered_chunks(done))
        if context.too_many:
            reading.refuse(too_many_findings(most_findings))
        return _finish(engine, check, reading)


def check_raw_chunk(context: CheckContext, chunk: int) -> ChunkCounts:
    """Checks a raw chunk of the context, stores its records and errors, and removes it."""
    if context.too_many:
        del context.raw[chunk]
        return ChunkCounts(0, 0, 0, 0)
    checked = check_and_correct(context.check, context.raw[chunk])
    with context.engine.begin() as connection:
        counts = store_chunk(connection, context.check, chunk, checked)
    context.findings[chunk] = counts.errors + counts.warnings
    del context.raw[chunk]
    return counts


def one_by_one(context: CheckContext, chunks: Iterable[NumberedChunk]) -> None:
    """Runs the chunks in this thread, in order."""
    for number, chunk in chunks:
        context.raw[number] = chunk
        check_raw_chunk(context, number)


def _finish(engine: Engine, check: FileCheckInputs, reading: Reading) -> FileState:
    with engine.begin() as connection:
        return finish_file_check(connection, check, reading)
