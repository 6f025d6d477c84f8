"""Reactions to events that need no flow run: the relay carries them out itself.

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
def notify_people(connection: Connection, event_id: UUID, event: Event) -> None:
    """Notifies the recipients of the event."""
    notify(connection, event_id, event)


@reaction("make-scheduled-reports")
def make_reports(connection: Connection, event_id: UUID, event: Event) -> None:  # noqa: ARG001
    """Requests the scheduled reports that wait for all submissions of the month."""
    if isinstance(event, SubmissionSubmitted):
        months = tables.submissions
        query = select(months.c.month).where(months.c.id == event.submission_id)
        request_scheduled(connection, connection.execute(query).scalar_one())


@reaction("measure-again")
def measure_past_months(connection: Connection, event_id: UUID, event: Event) -> None:  # noqa: ARG001
    """Requests the measuring of recent months by a newly published indicator, except those with
    figures of the old service."""
    if isinstance(event, KpiPublished):
        move_old_figures(connection, event.kpi_id)
        measure_again(connection, event.dataset, dt.datetime.now(dt.UTC))
