"""Follows the check of files and the stages of a run until they end."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from core.access.scope import EVERYTHING
from core.database import tables
from core.submissions.queries.file_list import FileRow, files_of
from core.support.polling import QUIET_SECONDS, changes
from core.vocabulary.states.submissions import SubmissionState


@dataclass(frozen=True)
class RunProgress:
    """The progress of a run: its state, the stage of its submission, the chunks written."""

    state: str  # running, published, replaced or failed
    stage: SubmissionState
    done: int
    chunks: int | None  # None until the records were counted
    failure: str | None

    @property
    def moving(self) -> bool:
        """Whether its state will change without an action of a user."""
        return self.state == "running"


def follow_files(
    engine: Engine,
    submission_id: int,
    file_ids: Collection[int],
    *,
    quiet_seconds: float = QUIET_SECONDS,
) -> Iterator[list[FileRow]]:
    """The files after each change of one of them; last when all have been checked.

    Files that are removed meanwhile are left out. Raises ``NoProgress``.
    """

    def look(connection: Connection) -> list[FileRow]:
        return [
            file for file in files_of(connection, EVERYTHING, submission_id) if file.id in file_ids
        ]

    for files in changes(engine, look, what="the check of the files", quiet_seconds=quiet_seconds):
        yield files
        if not any(file.moving for file in files):
            return


def follow_run(
    engine: Engine, run_id: int, *, quiet_seconds: float = QUIET_SECONDS
) -> Iterator[RunProgress]:
    """The run after each change; last when it is published or failed."""

    def look(connection: Connection) -> RunProgress:
        return run_progress(connection, run_id)

    for progress in changes(engine, look, what="the calculation", quiet_seconds=quiet_seconds):
        yield progress
        if not progress.moving:
            return


def run_progress(connection: Connection, run_id: int) -> RunProgress:
    """The current progress of a run."""
    runs, submissions, done = tables.runs, tables.submissions, tables.run_chunks
    written = (
        sa.select(sa.func.count()).where(done.c.run_id == runs.c.id).select_from(done)
    ).scalar_subquery()
    row = connection.execute(
        sa.select(
            runs.c.state,
            submissions.c.state.label("stage"),
            submissions.c.failure,
            runs.c.chunks,
            written.label("done"),
        )
        .join(submissions, submissions.c.id == runs.c.submission_id)
        .where(runs.c.id == run_id)
    ).one()
    return RunProgress(row.state, SubmissionState(row.stage), row.done, row.chunks, row.failure)
