"""The progress of each stage of a run: chunks done, and the count of results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.access.scope import Scope
from core.database import tables
from core.submissions.scoped import submissions_in
from core.vocabulary.states.submissions import SubmissionState

COUNTED: Mapping[SubmissionState, str] = {
    SubmissionState.MERGING: "episode",
    SubmissionState.TRIGGERING: "currency fired",
    SubmissionState.COMBINING: "currency left",
    SubmissionState.PRICING: "charge priced",
    SubmissionState.ALLOCATING: "charge allocated",
}
"""The results that a stage counts, in the singular."""


@dataclass(frozen=True)
class StageProgress:
    """The number of chunks, of those done, and of results."""

    chunks: int
    done: int
    counted: int


def reset_stages(connection: Connection, run_id: int) -> None:
    """Deletes the progress of a run, which counts from zero when it is resumed."""
    stages = tables.run_stages
    connection.execute(stages.delete().where(stages.c.run_id == run_id))


def record_stage(
    connection: Connection, run_id: int, stage: SubmissionState, progress: StageProgress
) -> None:
    """Writes the progress of a stage."""
    values = vars(progress)
    statement = insert(tables.run_stages).values(run_id=run_id, stage=str(stage), **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["run_id", "stage"], set_=values)
    )


def stages_of(
    connection: Connection, scope: Scope, submission_id: int
) -> dict[SubmissionState, StageProgress]:
    """The progress of the stages of the newest run that have begun."""
    runs, stages = tables.runs, tables.run_stages
    newest = (
        sa.select(sa.func.max(runs.c.id))
        .where(runs.c.submission_id == submission_id, submissions_in(scope, runs.c.submission_id))
        .scalar_subquery()
    )
    query = sa.select(stages.c.stage, stages.c.chunks, stages.c.done, stages.c.counted)
    rows = connection.execute(query.where(stages.c.run_id == newest))
    return {SubmissionState(row.stage): StageProgress(*row[1:]) for row in rows}
