"""Try an indicator on a month before it is published."""

from __future__ import annotations

from prefect import flow, get_run_logger

from core.accounts.scope import EVERYTHING
from core.database.locks import BusyError
from core.kpis.catalogue import get_kpi
from core.kpis.measuring import KpiRefused, measure
from core.kpis.trials import finish_trial, get_trial
from flows.measure import prepare
from flows.running import chunk_threads, working_on


@flow(name="try-kpi", task_runner=chunk_threads(), persist_result=False)
def try_kpi(trial_id: int) -> str:
    """Measures one indicator for one run, for who wrote it; publishes nothing."""
    try:
        with working_on("kpi-trial", trial_id) as engine:
            with engine.connect() as connection:
                trial = get_trial(connection, EVERYTHING, trial_id)
                kpi = get_kpi(connection, trial.kpi_id)
            prepare(engine, trial.run_id)
            try:
                measured, failure = measure(engine, kpi.definition, kpi.dataset, trial.run_id), None
            except KpiRefused as refused:
                measured, failure = None, str(refused)
            with engine.begin() as connection:
                finish_trial(connection, trial_id, measured, failure)
            return failure or "measured"
    except BusyError as other:
        get_run_logger().warning("%s", other)
        return str(other)
