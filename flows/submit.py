"""Submit a month: merge, trigger, combine, price, allocate, measure, and publish the run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from prefect import flow
from prefect.futures import as_completed
from sqlalchemy import Connection, Engine

from core.engine.tariff.money import Money
from core.submissions.commands.calculate_month import RunContext, calculate_month
from core.submissions.commands.failing import fail_run
from core.submissions.event_names import names_of_run
from core.support.faults import Fault
from core.vocabulary.states.submissions import SubmissionState
from flows.running import chunk_threads, flow_run_id, recording_failure, run_exclusively
from tasks.progress import ProgressBar, StageTally
from tasks.stages import STAGE_TASKS


@flow(
    name="submit",
    task_runner=chunk_threads(),
    persist_result=False,
)
def submit(submission_id: int, run_id: int) -> str:
    """Carries out one run of a submission; a resumed run skips its finished chunks."""
    return run_exclusively("submission", submission_id, partial(_run, run_id))


def _run(run_id: int, engine: Engine) -> str:
    stages = _MappedStages()
    with recording_failure(engine, f"run {run_id}", partial(_fail, run_id)):
        totals = calculate_month(engine, run_id, flow_run=flow_run_id(), run_stage=stages)
    if totals is None:
        return f"run {run_id} is over already"
    stages.finish(f"{totals.charges:,} charges")
    return f"{totals.charges:,} charges, {Money(totals.amount_pence).text}"


def _fail(run_id: int, connection: Connection, fault: Fault) -> str:
    return fail_run(connection, names_of_run(connection, run_id), fault)


class _MappedStages:
    """Maps each stage over its chunks, and shows their progress."""

    def __init__(self) -> None:
        self._progress: ProgressBar | None = None
        self._tally: StageTally | None = None

    def __call__(self, context: RunContext, stage: SubmissionState, chunks: Sequence[int]) -> None:
        progress, tally = self._shown(context)
        futures = [STAGE_TASKS[stage].submit(context, chunk) for chunk in chunks]
        for future in as_completed(futures):
            if future.state.is_completed():
                tally.add(stage, future.result())
            progress.step(stage)
        for future in futures:
            future.result()  # raises the first error, once no task runs any more
        tally.show(stage)

    def finish(self, text: str) -> None:
        """Shows the end."""
        if self._progress is not None:
            self._progress.finish(text)

    def _shown(self, context: RunContext) -> tuple[ProgressBar, StageTally]:
        if self._progress is None or self._tally is None:
            run, chunks = context.run, len(context.to_do)
            title = f"Submission {run.submission.id}, {run.submission.month_text}, {run.kind} run"
            self._progress = ProgressBar(
                f"submission-{run.submission.id}", title, steps=chunks * len(STAGE_TASKS)
            )
            self._tally = StageTally(context.engine, run.run_id, chunks)
        return self._progress, self._tally
