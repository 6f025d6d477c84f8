"""Reminds people of months to submit: 7, 2 and 0 days before they are due, and when they are late.

The configuration says how many days after its end a month is due. Each stage is notified once, in
the first digest after it begins, so a digest that runs twice, or a day late, does no harm.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.database import tables
from core.events.outbox import raise_event
from core.submissions.months_expected import DueMonth, expected_months
from core.vocabulary.event_catalogue import DeadlinesNear, MonthDue
from core.vocabulary.states.submissions import HANDED_IN

REMINDERS = (0, 2, 7)
"""Days before a month is due at which people are reminded."""
LATE_WEEKS = 8
"""For so many weeks people are reminded, once a week, of a late month."""

_IDS = UUID("6f1d1f0e-5b0c-4d0e-9a56-0d3f4c1b7a90")


def raise_digests(connection: Connection, today: dt.date) -> int:
    """Raises one digest for each person with something new; returns how many."""
    due = defaultdict[int, list[DueMonth]](list)
    for month in months_due(connection, today):
        due[month.provider_id].append(month)
    by_person = defaultdict[int, list[DueMonth]](list)
    for person, provider_id in _people(connection, list(due)):
        by_person[person] += due[provider_id]
    return sum(
        _raise_digest(connection, person, by_person[person], today) for person in sorted(by_person)
    )


def months_due(connection: Connection, today: dt.date) -> list[DueMonth]:
    """The months of which people are reminded, the most urgent first."""
    handed_in = _handed_in(connection)
    months = [
        month
        for month in expected_months(connection, today)
        if stage_of(month.days_left(today)) and _key(month) not in handed_in
    ]
    return sorted(months, key=lambda month: (month.due, month.provider))


def stage_of(days_left: int) -> str | None:
    """The stage of a month with so many days left, which is notified once; None: no stage."""
    if days_left < 0:
        week = (-days_left - 1) // 7
        return f"late {week}" if week < LATE_WEEKS else None
    return next((str(days) for days in REMINDERS if days_left <= days), None)


_Key = tuple[int, dt.date, str]


def _key(month: DueMonth) -> _Key:
    """Provider, month and data set."""
    return month.provider_id, month.month, month.dataset


def _handed_in(connection: Connection) -> set[_Key]:
    months = tables.submissions
    query = sa.select(months.c.provider_id, months.c.month, months.c.dataset).where(
        months.c.state.in_(HANDED_IN)
    )
    return {(row.provider_id, row.month, row.dataset) for row in connection.execute(query)}


def _people(connection: Connection, providers: list[int]) -> list[tuple[int, int]]:
    """Pairs of user id and provider id: who acts for which provider."""
    users, members = tables.users, tables.memberships
    query = (
        sa.select(users.c.id, members.c.organisation_id)
        .join(members, members.c.user_id == users.c.id)
        .where(
            users.c.active,
            members.c.role == "provider",
            members.c.organisation_id.in_(providers),
        )
    )
    return [(person, provider) for person, provider in connection.execute(query)]


def _raise_digest(connection: Connection, person: int, due: list[DueMonth], today: dt.date) -> bool:
    """Raises the person's digest of the day; returns whether there was anything new.

    Stages that begin after the digest of the day wait for the next.
    """
    event_id = uuid5(_IDS, f"{person}/{today}")
    events = tables.events
    todays_digest = sa.select(events.c.id).where(events.c.event_id == event_id)
    if connection.execute(todays_digest).first():
        return False
    new = _note(connection, person, due, today)
    if not new:
        return False
    months = tuple(_as_event(month, today) for month in sorted(new, key=lambda month: month.due))
    event = DeadlinesNear(addressee=person, day=today, months=months)
    raise_event(connection, event, event_id=event_id)
    return True


def _note(
    connection: Connection, person: int, due: list[DueMonth], today: dt.date
) -> list[DueMonth]:
    """Records the stages of which the person is notified; returns the months that are new."""
    notices = tables.deadline_notices
    rows = [
        {
            "user_id": person,
            "provider_id": month.provider_id,
            "month": month.month,
            "dataset": month.dataset,
            "stage": stage_of(month.days_left(today)),
        }
        for month in due
    ]
    noted = connection.execute(
        insert(notices)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(notices.c.provider_id, notices.c.month, notices.c.dataset)
    )
    new = {(row.provider_id, row.month, row.dataset) for row in noted}
    return [month for month in due if _key(month) in new]


def _as_event(month: DueMonth, today: dt.date) -> MonthDue:
    return MonthDue(
        provider=month.provider,
        provider_name=month.provider_name,
        month=f"{month.month:%Y-%m}",
        service=month.service,
        due=month.due,
        days_left=month.days_left(today),
    )
