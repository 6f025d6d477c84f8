"""Submit a month: merge, trigger, combine, price, allocate, measure, and publish the run whole."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from prefect import flow
from prefect.futures import as_completed
from sqlalchemy import Connection, Engine

from core.submissions.commands.failing import fail_run
from core.submissions.commands.run_inputs import RunInputs, load_run
from core.submissions.commands.runs import RunTotals, begin_run, enter_stage, publish
from core.submissions.event_names import names_of_run
from core.support.faults import Cause
from core.vocabulary.states.submissions import RunState, SubmissionState
from flows.running import alone_on, chunk_threads, failing, flow_run_id
from tasks.progress import ProgressBar, StageTally
from tasks.stages import STAGE_TASKS, RunBench

CHUNKS_AT_ONCE = 100
"""So many chunks go through the stages together; more wait, so that memory stays bounded."""


@flow(
    name="submit",
    task_runner=chunk_threads(),
    persist_result=False,
)
def submit(submission_id: int, run_id: int) -> str:
    """Carries out one run of a submission; a run taken up again skips the chunks it has."""
    return alone_on("submission", submission_id, partial(_run, run_id))


def _run(run_id: int, engine: Engine) -> str:
    with failing(engine, f"run {run_id}", partial(_fail, run_id)):
        with engine.begin() as connection:
            run = load_run(connection, run_id)
            if run.state != RunState.RUNNING:
                return f"run {run_id} is {run.state} already"
            done = begin_run(connection, run, flow_run=flow_run_id())
        totals = _carry_out(engine, run, done)
    return f"{totals.charges:,} charges, £{totals.amount_pence / 100:,.2f}"


def _fail(run_id: int, connection: Connection, cause: Cause) -> str:
    return fail_run(connection, names_of_run(connection, run_id), cause)


def _carry_out(engine: Engine, run: RunInputs, done: set[int]) -> RunTotals:
    bench = RunBench(engine, run)
    to_do = [chunk for chunk in range(run.chunks) if chunk not in done]
    title = f"{run.submission.provider_name}, {run.submission.month_text}, {run.kind} run"
    progress = ProgressBar(
        f"submission-{run.submission.id}", title, steps=len(to_do) * len(STAGE_TASKS)
    )
    tally = StageTally(engine, run.run_id, len(to_do))
    for chunks in _portions(to_do):
        for stage in STAGE_TASKS:
            _carry_out_stage(bench, stage, chunks, progress, tally)
    with engine.begin() as connection:
        enter_stage(connection, run, SubmissionState.MEASURING)
    with engine.begin() as connection:
        totals = publish(connection, run)
    progress.finish(f"{totals.charges:,} charges")
    return totals


def _portions(chunks: list[int]) -> list[list[int]]:
    """At least one portion: a run with nothing left to do still passes through its stages."""
    starts = range(0, max(len(chunks), 1), CHUNKS_AT_ONCE)
    return [chunks[start : start + CHUNKS_AT_ONCE] for start in starts]


def _carry_out_stage(
    bench: RunBench,
    stage: SubmissionState,
    chunks: Sequence[int],
    progress: ProgressBar,
    tally: StageTally,
) -> None:
    with bench.engine.begin() as connection:
        enter_stage(connection, bench.run, stage)
    futures = [STAGE_TASKS[stage].submit(bench, chunk) for chunk in chunks]
    for future in as_completed(futures):
        if future.state.is_completed():
            tally.add(stage, future.result())
        progress.step(stage)
    for future in futures:
        future.result()  # raises what went wrong, once nothing is at work any more
    tally.show(stage)
