"""Trials of an indicator on a month before it is published."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope, scope_of
from core.database import tables
from core.events.outbox import raise_event
from core.kpis.catalogue import get_kpi
from core.kpis.measuring import Measurement
from core.kpis.trial_rights import trial_rights
from core.settings import settings
from core.user_errors import UserError
from core.vocabulary import event_catalogue


@dataclass(frozen=True)
class Trial:
    """A trial and, when it is done, its figure or why there is none."""

    id: int
    kpi_id: int
    run_id: int
    asked_by: int
    asked_at: dt.datetime
    done: bool
    numerator: Decimal | None
    denominator: Decimal | None
    failure: str | None


def ask_for_trial(connection: Connection, kpi_id: int, run_id: int, *, user_id: int) -> int:
    """Requests a trial on a run whose figures the user may see; returns its number."""
    trial_rights(connection, scope_of(connection, user_id), run_id)
    trials = tables.kpi_trials
    _require_room(connection, user_id)
    statement = (
        trials.insert()
        .values(kpi_id=kpi_id, run_id=run_id, asked_by=user_id)
        .returning(trials.c.id)
    )
    trial_id = int(connection.execute(statement).scalar_one())
    raise_event(connection, trial_event(connection, trial_id, kpi_id, run_id), user_id=user_id)
    return trial_id


def trial_event(
    connection: Connection, trial_id: int, kpi_id: int, run_id: int
) -> event_catalogue.KpiTrialRequested:
    """The event that requests the trial."""
    name = get_kpi(connection, kpi_id).definition.kpi
    names = _names(connection, run_id)
    return event_catalogue.KpiTrialRequested(trial_id=trial_id, kpi=name, run_id=run_id, **names)


def _require_room(connection: Connection, user_id: int) -> None:
    trials, most = tables.kpi_trials, settings().open_trials
    query = sa.select(sa.func.count()).where(
        trials.c.asked_by == user_id, trials.c.done_at.is_(None)
    )
    if connection.execute(query).scalar_one() >= most:
        raise UserError(f"{most} of your trials are under way. Try again when some are done.")


def get_trial(connection: Connection, scope: Scope, trial_id: int) -> Trial:
    """One of the person's own trials."""
    trials = tables.kpi_trials
    own = sa.true() if scope.unlimited else trials.c.asked_by == scope.user_id
    row = connection.execute(sa.select(trials).where(trials.c.id == trial_id, own)).one()
    return Trial(
        row.id,
        row.kpi_id,
        row.run_id,
        row.asked_by,
        row.asked_at,
        row.done_at is not None,
        row.numerator,
        row.denominator,
        row.failure,
    )


def finish_trial(
    connection: Connection, trial_id: int, measured: Measurement | None, failure: str | None
) -> None:
    """Records the result of a trial."""
    trials = tables.kpi_trials
    connection.execute(
        trials.update()
        .where(trials.c.id == trial_id)
        .values(
            numerator=measured.numerator if measured else None,
            denominator=measured.denominator if measured else None,
            failure=failure,
            done_at=sa.func.now(),
        )
    )


def _names(connection: Connection, run_id: int) -> dict[str, Any]:
    runs, submissions, organisations = tables.runs, tables.submissions, tables.organisations
    query = (
        sa.select(organisations.c.code, submissions.c.month, submissions.c.id)
        .join(submissions, submissions.c.provider_id == organisations.c.id)
        .join(runs, runs.c.submission_id == submissions.c.id)
        .where(runs.c.id == run_id)
    )
    row = connection.execute(query).one()
    return {"provider": row.code, "month": f"{row.month:%Y-%m}", "submission_id": row.id}
