"""Small reactions to events that need no run of their own: the relay carries them out itself.

A reaction runs in the transaction that marks the event as delivered, so it acts once or not at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from uuid import UUID

from sqlalchemy import Connection, select

from core.database import tables
from core.kpis.catalogue import measure_again
from core.kpis.results import move_old_figures
from core.notifications.notify import notify
from core.reports.schedules import request_scheduled
from core.vocabulary.event_catalogue import Event, KpiPublished, SubmissionSubmitted

Reaction = Callable[[Connection, UUID, Event], None]

REACTIONS: dict[str, Reaction] = {}
"""Every reaction by the name that rules use."""


def reaction(name: str) -> Callable[[Reaction], Reaction]:
    """Registers a function under ``name``."""

    def register(function: Reaction) -> Reaction:
        REACTIONS[name] = function
        return function

    return register


@reaction("notify")
def tell(connection: Connection, event_id: UUID, event: Event) -> None:
    """Tells the people whom the event concerns."""
    notify(connection, event_id, event)


@reaction("make-scheduled-reports")
def make_reports(connection: Connection, event_id: UUID, event: Event) -> None:  # noqa: ARG001
    """Asks for the reports that wait for all submissions of the month."""
    if isinstance(event, SubmissionSubmitted):
        months = tables.submissions
        query = select(months.c.month).where(months.c.id == event.submission_id)
        request_scheduled(connection, connection.execute(query).scalar_one())


@reaction("measure-again")
def measure_past_months(connection: Connection, event_id: UUID, event: Event) -> None:  # noqa: ARG001
    """Asks for recent months to be measured by an indicator that was published, but for those of
    which the old service told it."""
    if isinstance(event, KpiPublished):
        move_old_figures(connection, event.kpi_id)
        measure_again(connection, event.dataset, dt.datetime.now(dt.UTC))
