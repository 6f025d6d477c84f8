"""Failures of measuring a run and of trials of indicators, for the error queue.

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
    request = KpisRequested.model_validate(about)
    return record_failure(
        connection,
        FailureKind.MEASURING,
        fault,
        work=_measuring_of(request.run_id),
        subject=request.subject,
        title=f"indicators of {request.title}",
        payload=about,
    )


def resolve_measuring(connection: Connection, run_id: int) -> None:
    """Resolves the failure of a run that is measured now."""
    mark_resolved(connection, _measuring_of(run_id), why="it was measured")


def retry_measuring(
    connection: Connection, failure: Failure, user_id: int | None, reason: str
) -> None:
    """Requests again the measuring of a run that failed."""
    mark_retried(connection, failure.work, why=reason, user_id=user_id)
    raise_event(connection, KpisRequested.model_validate(failure.payload), user_id=user_id)


def fail_trial(connection: Connection, request: KpiTrialRequested, fault: Fault) -> str:
    """Ends a trial without a figure; returns the reference that user and operator both see."""
    reference = record_failure(
        connection,
        FailureKind.TRIAL,
        fault,
        work=f"kpi-trial/{request.trial_id}",
        subject=request.subject,
        title=f"trial of {request.kpi} on {request.title}",
        payload=request.model_dump(),
    )
    finish_trial(connection, request.trial_id, None, TRIAL_TEXT.format(reference=reference))
    return reference


def retry_trial(connection: Connection, failure: Failure, user_id: int | None, reason: str) -> None:
    """Requests a failed trial again."""
    mark_resolved(connection, failure.work, why=reason, user_id=user_id)
    request, trials = KpiTrialRequested.model_validate(failure.payload), tables.kpi_trials
    this = trials.c.id == request.trial_id
    connection.execute(trials.update().where(this).values(done_at=None, failure=None))
    raise_event(connection, request, user_id=user_id)


def lock_measured_run(connection: Connection, failure: Failure) -> None:
    """Locks the run, so that of two simultaneous retries one waits."""
    runs = tables.runs.c
    connection.execute(
        sa.select(runs.id).where(runs.id == failure.payload["run_id"]).with_for_update()
    )


def _measuring_of(run_id: int) -> str:
    return f"kpis/{run_id}"
