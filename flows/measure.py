"""Measure a run: every published indicator, each by its own isolated query."""

from __future__ import annotations

from functools import partial

from prefect import flow
from prefect.futures import wait
from sqlalchemy import Connection, Engine

from core.kpis.catalogue import KpiVersion, published_kpis
from core.kpis.episodes import chunks_to_write
from core.kpis.failing import fail_measuring, resolve_measuring
from core.kpis.kpi_schema import create_kpi_schema
from core.submissions.commands.run_inputs import RunInputs, load_run
from core.submissions.event_names import names_of_run
from core.support.faults import Fault
from core.vocabulary.states.submissions import RunState
from flows.running import chunk_threads, recording_failure, run_exclusively
from tasks.measuring import measure_kpi, write_chunk


@flow(name="measure", task_runner=chunk_threads(), persist_result=False)
def measure(run_id: int) -> str:
    """Measures one run; existing figures are measured again."""
    return run_exclusively("kpis", run_id, partial(_measure, run_id))


def _measure(run_id: int, engine: Engine) -> str:
    with recording_failure(engine, f"indicators of run {run_id}", partial(_fail, run_id)):
        run = prepare(engine, run_id)
        if run.state != RunState.PUBLISHED:
            return f"run {run_id} is {run.state}: nothing to measure"
        with engine.connect() as connection:
            kpis = published_kpis(connection, run.specification.dataset)
        result = _measure_each(engine, run, kpis)
        with engine.begin() as connection:
            resolve_measuring(connection, run_id)
    return result


def _fail(run_id: int, connection: Connection, fault: Fault) -> str:
    return fail_measuring(connection, names_of_run(connection, run_id), fault)


def prepare(engine: Engine, run_id: int) -> RunInputs:
    """Writes the run's episodes as rows for queries, unless they exist."""
    with engine.begin() as connection:
        run = load_run(connection, run_id)
        if run.state != RunState.PUBLISHED:
            return run
        create_kpi_schema(connection, run.specification)
        chunks = chunks_to_write(connection, run)
    futures = [write_chunk.submit(engine, run, chunk) for chunk in chunks]
    wait(futures)
    for future in futures:
        future.result()
    return run


def _measure_each(engine: Engine, run: RunInputs, kpis: list[KpiVersion]) -> str:
    futures = [measure_kpi.submit(engine, run.run_id, kpi) for kpi in kpis]
    wait(futures)
    figures = sum(future.result() for future in futures)
    return f"{figures} of {len(kpis)} indicators have a figure"
