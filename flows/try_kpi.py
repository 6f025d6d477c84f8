"""Try an indicator on a month before it is published."""

from __future__ import annotations

from functools import partial

from prefect import flow
from sqlalchemy import Connection, Engine

from core.access.scope import EVERYTHING, NotAllowed, scope_of
from core.kpis.catalogue import get_kpi
from core.kpis.failing import fail_trial
from core.kpis.measuring import KpiRefused
from core.kpis.trial_rights import trial_rights
from core.kpis.trials import Trial, finish_trial, get_trial, trial_event
from core.kpis.trying import try_out
from core.support.faults import Fault
from flows.measure import prepare
from flows.running import chunk_threads, recording_failure, run_exclusively


@flow(name="try-kpi", task_runner=chunk_threads(), persist_result=False)
def try_kpi(trial_id: int) -> str:
    """Measures one indicator for one run, for its author; publishes nothing."""
    return run_exclusively("kpi-trial", trial_id, partial(_try, trial_id))


def _try(trial_id: int, engine: Engine) -> str:
    with engine.connect() as connection:
        trial = get_trial(connection, EVERYTHING, trial_id)
        kpi = get_kpi(connection, trial.kpi_id)
        author = scope_of(connection, trial.asked_by)
    with recording_failure(engine, f"trial {trial_id}", partial(_fail, trial)):
        prepare(engine, trial.run_id)
        try:
            with engine.connect() as connection:
                rights = trial_rights(connection, author, trial.run_id)
            measured = try_out(engine, kpi.definition, kpi.dataset, trial.run_id, rights)
            failure = None
        except (KpiRefused, NotAllowed) as refused:
            measured, failure = None, str(refused)
        with engine.begin() as connection:
            finish_trial(connection, trial_id, measured, failure)
    return "refused" if failure else "measured"


def _fail(trial: Trial, connection: Connection, fault: Fault) -> str:
    event = trial_event(connection, trial.id, trial.kpi_id, trial.run_id)
    return fail_trial(connection, event, fault)
