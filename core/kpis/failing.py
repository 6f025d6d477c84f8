"""Says that a run was not measured, or an indicator not tried: to operators and the error queue.

``about`` holds the ids and names that every event of a run carries. A run that is not measured
stays published; its figures are missing until it is measured again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.events.failures import Failure, mark_resolved, mark_retried, record_failure
from core.events.outbox import raise_event
from core.kpis.trials import finish_trial
from core.support.faults import Fault
from core.vocabulary.event_catalogue import KpisRequested, KpiTrialRequested
from core.vocabulary.failure_kinds import FailureKind

TRIAL_TEXT = "The trial stopped. Try again, or tell support the reference {reference}."


def fail_measuring(connection: Connection, about: Mapping[str, Any], fault: Fault) -> str:
    """Puts the measuring of a run into the error queue; returns the reference."""
    asked = KpisRequested.model_validate(about)
    return record_failure(
        connection,
        FailureKind.MEASURING,
        fault,
        work=_measuring_of(asked.run_id),
        subject=asked.subject,
        title=f"indicators of {asked.title}",
        payload=about,
    )


def settle_measuring(connection: Connection, run_id: int) -> None:
    """Closes what waits in the error queue for a run that is measured now."""
    mark_resolved(connection, _measuring_of(run_id), why="it was measured")


def measure_once_more(
    connection: Connection, failure: Failure, user_id: int | None, reason: str
) -> None:
    """Asks for a run to be measured that waits in the error queue."""
    mark_retried(connection, failure.work, why=reason, user_id=user_id)
    raise_event(connection, KpisRequested.model_validate(failure.payload), user_id=user_id)


def fail_trial(connection: Connection, asked: KpiTrialRequested, fault: Fault) -> str:
    """Ends a trial without a figure; returns the reference that user and operator both see."""
    reference = record_failure(
        connection,
        FailureKind.TRIAL,
        fault,
        work=f"kpi-trial/{asked.trial_id}",
        subject=asked.subject,
        title=f"trial of {asked.kpi} on {asked.title}",
        payload=asked.model_dump(),
    )
    finish_trial(connection, asked.trial_id, None, TRIAL_TEXT.format(reference=reference))
    return reference


def try_once_more(
    connection: Connection, failure: Failure, user_id: int | None, reason: str
) -> None:
    """Asks anew for a trial that waits in the error queue."""
    mark_resolved(connection, failure.work, why=reason, user_id=user_id)
    asked, trials = KpiTrialRequested.model_validate(failure.payload), tables.kpi_trials
    this = trials.c.id == asked.trial_id
    connection.execute(trials.update().where(this).values(done_at=None, failure=None))
    raise_event(connection, asked, user_id=user_id)


def lock_measured_run(connection: Connection, failure: Failure) -> None:
    """Of two who try the same again at once, one waits for the other."""
    runs = tables.runs.c
    connection.execute(
        sa.select(runs.id).where(runs.id == failure.payload["run_id"]).with_for_update()
    )


def _measuring_of(run_id: int) -> str:
    return f"kpis/{run_id}"
