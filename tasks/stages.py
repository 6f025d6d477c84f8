"""The stages of a run, a task for each stage and chunk (architecture, decision 3).

A chunk is a range of buckets of episodes: it is read once by the first stage and written once by
the last. Between them its values stay on the bench and tasks pass chunk numbers, since Prefect
keeps every value that goes through its hands until the flow ends.
"""

from __future__ import annotations

from typing import Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import Engine

from core.areas.register_store import register_in_use
from core.engine.calculation import stages as calculation
from core.engine.calculation.episodes import Merged, merge_records
from core.submissions.commands.run_chunks import read_records, store_charges
from core.submissions.commands.run_inputs import RunInputs
from core.vocabulary.states.submissions import SubmissionState
from tasks.faults import RETRYING


class RunBench:
    """What the tasks of one run share: what stage left which value for each chunk."""

    def __init__(self, engine: Engine, run: RunInputs) -> None:
        self.engine = engine
        self.run = run
        with engine.connect() as connection:  # one register for all chunks
            self.register = register_in_use(connection).as_of(run.submission.month)
        self.merged: dict[int, Merged] = {}
        self.fired: dict[int, calculation.Fired] = {}
        self.combined: dict[int, calculation.Combined] = {}
        self.priced: dict[int, calculation.Priced] = {}


_STAGE: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}


@task(name="merging", task_run_name="merging bucket {chunk}", **_STAGE, **RETRYING)
def merge(bench: RunBench, chunk: int) -> int:
    """Reads the records of the chunk's episodes and merges them; returns the episodes."""
    with bench.engine.connect() as connection:
        records = read_records(connection, bench.run, chunk)
    merged = merge_records(records, bench.run.specification)
    bench.merged[chunk] = merged
    return int(merged.episodes.num_rows)


@task(name="triggering", task_run_name="triggering bucket {chunk}", **_STAGE)
def trigger(bench: RunBench, chunk: int) -> int:
    """Fires the currencies of each episode; returns how many fired."""
    run = bench.run
    fired = calculation.fire(bench.merged[chunk], run.configuration, run.specification)
    bench.fired[chunk] = fired
    return int(fired.counts[fired.signature].sum())


@task(name="combining", task_run_name="combining bucket {chunk}", **_STAGE)
def combine(bench: RunBench, chunk: int) -> int:
    """Replaces invalid combinations; returns the currencies that are left."""
    combined = calculation.combine(bench.fired.pop(chunk), bench.run.configuration)
    bench.combined[chunk] = combined
    return int(combined.counts[combined.signature].sum())


@task(name="pricing", task_run_name="pricing bucket {chunk}", **_STAGE)
def price(bench: RunBench, chunk: int) -> int:
    """Applies primary and additional rates, and the factor; returns the priced charges."""
    run = bench.run
    priced = calculation.price(
        bench.combined.pop(chunk), run.configuration, run.submission.provider, run.hosts
    )
    bench.priced[chunk] = priced
    return len(priced.episode)


@task(name="allocating", task_run_name="allocating bucket {chunk}", **_STAGE, **RETRYING)
def allocate(bench: RunBench, chunk: int) -> int:
    """Finds who pays, and writes the charges of the chunk in one transaction; returns them."""
    run = bench.run
    charges = calculation.allocate(
        bench.priced[chunk], run.configuration, run.hosts, bench.register
    )
    with bench.engine.begin() as connection:
        totals = store_charges(connection, run, chunk, bench.merged[chunk], charges)
    del bench.priced[chunk], bench.merged[chunk]
    return totals.charges


STAGE_TASKS: dict[SubmissionState, Task[[RunBench, int], int]] = {
    SubmissionState.MERGING: merge,
    SubmissionState.TRIGGERING: trigger,
    SubmissionState.COMBINING: combine,
    SubmissionState.PRICING: price,
    SubmissionState.ALLOCATING: allocate,
}
"""The task of each stage that works on chunks and counts what came out; measuring follows, for the
run as a whole."""
