"""How far each stage of a run is: parts done of parts, and what came out of them."""

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
"""What a stage counts, in the singular."""


@dataclass(frozen=True)
class StageProgress:
    """Parts that are done, of those to do, and the count of what came out."""

    chunks: int
    done: int
    counted: int


def forget_stages(connection: Connection, run_id: int) -> None:
    """A run that is taken up again counts anew."""
    stages = tables.run_stages
    connection.execute(stages.delete().where(stages.c.run_id == run_id))


def note_stage(
    connection: Connection, run_id: int, stage: SubmissionState, progress: StageProgress
) -> None:
    """Writes how far a stage is."""
    values = vars(progress)
    statement = insert(tables.run_stages).values(run_id=run_id, stage=str(stage), **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["run_id", "stage"], set_=values)
    )


def stages_of(
    connection: Connection, scope: Scope, submission_id: int
) -> dict[SubmissionState, StageProgress]:
    """How far the stages of the newest run are, those that have begun."""
    runs, stages = tables.runs, tables.run_stages
    newest = (
        sa.select(sa.func.max(runs.c.id))
        .where(runs.c.submission_id == submission_id, submissions_in(scope, runs.c.submission_id))
        .scalar_subquery()
    )
    query = sa.select(stages.c.stage, stages.c.chunks, stages.c.done, stages.c.counted)
    rows = connection.execute(query.where(stages.c.run_id == newest))
    return {SubmissionState(row.stage): StageProgress(*row[1:]) for row in rows}
