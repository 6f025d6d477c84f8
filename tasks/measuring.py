"""Measuring a run: its episodes as rows, then each indicator."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import Engine

from core.kpis.catalogue import KpiVersion
from core.kpis.episodes import write_episodes
from core.kpis.measuring import KpiRefused, measure
from core.kpis.results import store_result
from core.submissions.commands.run_inputs import RunInputs
from tasks.faults import RETRYING, without_error_text


@task(
    name="write episodes",
    task_run_name="episodes of bucket {chunk}",
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRYING,
)
@without_error_text
def write_chunk(engine: Engine, run: RunInputs, chunk: int) -> int:
    """Writes the episodes of a chunk; returns how many."""
    with engine.begin() as connection:
        return write_episodes(connection, run, chunk)


@task(
    name="measure",
    task_run_name="measure {kpi.definition.kpi}",
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRYING,
)
@without_error_text
def measure_kpi(engine: Engine, run_id: int, kpi: KpiVersion) -> bool:
    """Measures one indicator and stores the figure, or why there is none; whether there is one.

    A refused query does not fail the run: the other indicators are measured.
    """
    try:
        measured, failure = measure(engine, kpi.definition, kpi.dataset, run_id), None
    except KpiRefused as refused:
        measured, failure = None, str(refused)
    with engine.begin() as connection:
        store_result(connection, run_id, kpi.id, measured, failure)
    return failure is None
