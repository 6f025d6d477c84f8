"""What measuring a run takes: its episodes as rows, then each indicator on its own."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import Engine

from core.kpis.catalogue import KpiVersion
from core.kpis.episodes import write_episodes
from core.kpis.measuring import KpiRefused, measure
from core.kpis.results import store_result
from core.submissions.commands.run_inputs import RunInputs
from tasks.faults import RETRYING, hushed


@task(
    name="write episodes",
    task_run_name="episodes of bucket {chunk}",
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRYING,
)
@hushed
def write_chunk(engine: Engine, run: RunInputs, chunk: int) -> int:
    """Writes the episodes of a chunk; gives how many."""
    with engine.begin() as connection:
        return write_episodes(connection, run, chunk)


@task(
    name="measure",
    task_run_name="measure {kpi.definition.kpi}",
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRYING,
)
@hushed
def measure_kpi(engine: Engine, run_id: int, kpi: KpiVersion) -> bool:
    """Measures one indicator and keeps the figure, or why there is none; gives whether there is.

    A query that is refused is no fault of the run: the others are measured all the same.
    """
    try:
        measured, failure = measure(engine, kpi.definition, kpi.dataset, run_id), None
    except KpiRefused as refused:
        measured, failure = None, str(refused)
    with engine.begin() as connection:
        store_result(connection, run_id, kpi.id, measured, failure)
    return failure is None
