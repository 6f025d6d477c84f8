"""A run of a submission: its beginning, its stages, its publication.

A run is published, not edited (docs/house.md, how a file becomes charges): charges are written
under the run's id, and the last step points the submission to it, changes the state and raises the
event, in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.database.records import summarise
from core.events.outbox import raise_event
from core.submissions.commands.kept_inputs import keep_inputs
from core.submissions.commands.run_inputs import RunInputs, record_inputs
from core.submissions.commands.unpublish_run import unpublish_run
from core.submissions.event_names import names_of_submission
from core.submissions.month_doubts import note_charged_before, note_days
from core.submissions.stage_progress import reset_stages
from core.submissions.transitions import move
from core.vocabulary import event_catalogue
from core.vocabulary.states.submissions import (
    RUN_MACHINE,
    STAGES,
    SUBMISSION_MACHINE,
    RunState,
    SubmissionState,
)


class RunIncomplete(Exception):
    """A run was about to be published with a chunk or a penny missing: a bug, never published."""


@dataclass(frozen=True)
class RunTotals:
    """The totals of a run."""

    records: int
    episodes: int
    episodes_charged: int
    charges: int
    warnings: int
    amount_pence: int


def begin_run(connection: Connection, run: RunInputs, *, flow_run: str | None) -> set[int]:
    """Fixes the number of chunks and returns those that an earlier attempt finished with the same
    tariff, hosts and register of areas."""
    record_inputs(connection, run)
    keep_inputs(connection, run)
    reset_stages(connection, run.run_id)
    connection.execute(
        tables.runs.update()
        .where(tables.runs.c.id == run.run_id)
        .values(
            chunks=run.chunks,
            flow_run=flow_run,
            started_at=sa.func.coalesce(tables.runs.c.started_at, sa.func.now()),
        )
    )
    done = tables.run_chunks
    return set(
        connection.execute(sa.select(done.c.chunk).where(done.c.run_id == run.run_id)).scalars()
    )


def enter_stage(connection: Connection, run: RunInputs, stage: SubmissionState) -> None:
    """Moves the submission to a stage, and raises the event that the previous one is finished."""
    left = move(connection, tables.submissions, SUBMISSION_MACHINE, run.submission.id, stage)
    if left in STAGES and left != stage:
        raise_event(
            connection, event_catalogue.SubmissionStageFinished(stage=left, **names_of_inputs(run))
        )


def publish(connection: Connection, run: RunInputs) -> RunTotals:
    """Publishes the run, so that readers see it; raises ``RunIncomplete``."""
    summarise(connection, "ix_charges_run_id")
    totals = run_totals(connection, run)
    _reconcile(connection, run, totals)
    unpublish_run(connection, run.submission.id, reason=f"replaced by run {run.run_id}")
    move(
        connection,
        tables.runs,
        RUN_MACHINE,
        run.run_id,
        RunState.PUBLISHED,
        finished_at=sa.func.now(),
        records=totals.records,
        episodes=totals.episodes,
        episodes_charged=totals.episodes_charged,
        charges=totals.charges,
        amount_pence=totals.amount_pence,
    )
    final = run.kind == "final"
    move(
        connection,
        tables.submissions,
        SUBMISSION_MACHINE,
        run.submission.id,
        SubmissionState.SUBMITTED if final else SubmissionState.DRAFT,
        reason=f"{run.kind} run {run.run_id} published",
        run_id=run.run_id,
    )
    if final:
        keep_versions(connection, run.run_id)
        note_days(connection, run.run_id)
        note_charged_before(connection, run.submission, run.run_id)
    event_class = (
        event_catalogue.SubmissionSubmitted if final else event_catalogue.SubmissionDrafted
    )
    raise_event(
        connection,
        event_class(
            records=totals.records,
            episodes=totals.episodes,
            charges=totals.charges,
            amount_pence=totals.amount_pence,
            **names_of_inputs(run),
        ),
    )
    return totals


def keep_versions(connection: Connection, run_id: int) -> None:
    """Has the run's month keep the run's version of the data set and revision of the tariff."""
    months, runs = tables.submissions, tables.runs
    connection.execute(
        months.update()
        .where(months.c.id == runs.c.submission_id, runs.c.id == run_id)
        .values(dataset_id=runs.c.dataset_id, configuration_id=runs.c.configuration_id)
    )


def run_totals(connection: Connection, run: RunInputs) -> RunTotals:
    """The sums over the chunks that are done."""
    chunks = tables.run_chunks
    names = ("records", "episodes", "episodes_charged", "charges", "warnings", "amount_pence")
    sums = [sa.func.coalesce(sa.func.sum(chunks.c[name]), 0).label(name) for name in names]
    row = connection.execute(sa.select(*sums).where(chunks.c.run_id == run.run_id)).one()
    return RunTotals(**{name: int(value) for name, value in row._mapping.items()})


def _reconcile(connection: Connection, run: RunInputs, totals: RunTotals) -> None:
    """Raises ``RunIncomplete`` unless all records are counted and all pence are in the charges."""
    done = connection.execute(
        sa.select(sa.func.count())
        .select_from(tables.run_chunks)
        .where(tables.run_chunks.c.run_id == run.run_id)
    ).scalar_one()
    charges = tables.charges
    written = connection.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(charges.c.amount_pence), 0)).where(
            charges.c.run_id == run.run_id
        )
    ).one()
    expected = (run.chunks, run.records, totals.charges, totals.amount_pence)
    found = (done, totals.records, written[0], int(written[1]))
    if expected != found:
        raise RunIncomplete(f"run {run.run_id}: expected {expected}, found {found}")


def names_of_inputs(run: RunInputs) -> dict[str, Any]:
    """The ids and names that every event of a run carries."""
    return {"run_id": run.run_id, **names_of_submission(run.submission)}
