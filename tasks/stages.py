"""The stages of a run, a task for each stage and chunk (docs/decisions/0003)."""

from __future__ import annotations

from typing import Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE

from core.submissions.commands.calculate_month import RunContext, carry_out_stage
from core.vocabulary.states.submissions import SubmissionState
from tasks.faults import RETRYING, without_error_text

_STAGE: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}


@task(name="merging", task_run_name="merging bucket {chunk}", **_STAGE, **RETRYING)
@without_error_text
def merge(context: RunContext, chunk: int) -> int:
    """Reads the records of the chunk's episodes and merges them; returns the number of episodes."""
    return carry_out_stage(context, SubmissionState.MERGING, chunk)


@task(name="triggering", task_run_name="triggering bucket {chunk}", **_STAGE)
@without_error_text
def trigger(context: RunContext, chunk: int) -> int:
    """Fires the currencies of each episode; returns the number that fired."""
    return carry_out_stage(context, SubmissionState.TRIGGERING, chunk)


@task(name="combining", task_run_name="combining bucket {chunk}", **_STAGE)
@without_error_text
def combine(context: RunContext, chunk: int) -> int:
    """Replaces invalid combinations; returns the number of currencies that are left."""
    return carry_out_stage(context, SubmissionState.COMBINING, chunk)


@task(name="pricing", task_run_name="pricing bucket {chunk}", **_STAGE)
@without_error_text
def price(context: RunContext, chunk: int) -> int:
    """Applies primary and additional rates, and the factor; returns the number of charges."""
    return carry_out_stage(context, SubmissionState.PRICING, chunk)


@task(name="allocating", task_run_name="allocating bucket {chunk}", **_STAGE, **RETRYING)
@without_error_text
def allocate(context: RunContext, chunk: int) -> int:
    """Finds who pays, and writes the chunk's charges in one transaction; returns their number."""
    return carry_out_stage(context, SubmissionState.ALLOCATING, chunk)


STAGE_TASKS: dict[SubmissionState, Task[[RunContext, int], int]] = {
    SubmissionState.MERGING: merge,
    SubmissionState.TRIGGERING: trigger,
    SubmissionState.COMBINING: combine,
    SubmissionState.PRICING: price,
    SubmissionState.ALLOCATING: allocate,
}
"""The task of each stage that works on chunks and counts results; measuring follows, for the run as
a whole."""
