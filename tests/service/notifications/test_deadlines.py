"""Digests of deadlines: one a person and day, whatever runs twice, late or at once."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import Range

from core.database.tables import (
    configuration_providers,
    configurations,
    datasets,
    events,
    notifications,
    organisations,
    submissions,
    users,
)
from core.events.outbox import read_event
from core.notifications.deadlines import raise_digests
from core.notifications.notify import notify
from tests.subscribed import subscribe

APRIL, MAY = dt.date(2017, 4, 1), dt.date(2017, 5, 1)
DUE = dt.date(2017, 5, 21)  # of April
DATASET = {"id": 1, "dataset": "d", "version": "1", "title": "D", "body": ""}


@pytest.fixture
def tariff(database: Engine) -> Engine:
    """Two providers in force from April; one person acts for both, one for the second."""
    with database.begin() as connection:
        connection.execute(datasets.insert().values(DATASET))
        connection.execute(
            configurations.insert().values(
                id=1,
                configuration="c",
                title="c",
                dataset_id=1,
                status="live",
                starts=APRIL,
                holds_from=APRIL,
                ends=dt.date(2018, 3, 31),
                body="configuration: c\nsubmit_within_days: 21\n",
            )
        )
        for number, code in enumerate(("ZX1", "ZX2"), start=1):
            values = {"id": number, "kind": "provider", "code": code, "name": f"Clinics {code}"}
            connection.execute(organisations.insert().values(values))
            connection.execute(
                configuration_providers.insert().values(
                    configuration_id=1,
                    provider=code,
                    dataset="d",
                    during=Range(APRIL, None),
                    draft=False,
                )
            )
        for number, ours in ((1, (1, 2)), (2, (2,))):
            connection.execute(users.insert().values(id=number, subject=f"p{number}", name="P"))
            for organisation in ours:
                subscribe(connection, number, "provider", organisation)
    return database


def tell(database: Engine, today: dt.date) -> int:
    with database.begin() as connection:
        return raise_digests(connection, today)


def before(days: int) -> dt.date:
    return DUE - dt.timedelta(days=days)


def digests(database: Engine) -> list[Any]:
    with database.connect() as connection:
        query = select(events).where(events.c.name == "deadlines.near").order_by(events.c.id)
        rows = connection.execute(query).all()
    return [read_event(row.name, row.payload) for row in rows]


def submit(database: Engine, provider_id: int, month: dt.date) -> None:
    """As a run leaves it; the database lets a submission only pass through its states."""
    path = ("queued", "merging", "triggering", "combining", "pricing", "allocating", "measuring")
    with database.begin() as connection:
        made = submissions.insert().values(provider_id=provider_id, month=month, dataset="d")
        number = connection.execute(made.returning(submissions.c.id)).scalar_one()
        for state in (*path, "submitted"):
            moved = submissions.update().where(submissions.c.id == number)
            connection.execute(moved.values(state=state))


def test_one_digest_a_person_lists_all_their_months(tariff: Engine) -> None:
    assert tell(tariff, before(8)) == 0
    assert tell(tariff, before(7)) == 2
    first, second = digests(tariff)
    assert [(due.provider, due.month, due.days_left) for due in first.months] == [
        ("ZX1", "2017-04", 7),
        ("ZX2", "2017-04", 7),
    ]
    assert [due.provider for due in second.months] == ["ZX2"]


def test_each_reminder_comes_once(tariff: Engine) -> None:
    told = [
        days
        for days in range(10, -16, -1)
        if tell(tariff, before(days)) + tell(tariff, before(days))
    ]
    assert told == [7, 2, 0, -1, -8, -15]


def test_a_day_late_it_still_comes(tariff: Engine) -> None:
    assert tell(tariff, before(6)) == 2
    assert tell(tariff, before(5)) == 0
    assert digests(tariff)[0].months[0].days_left == 6


def test_months_that_are_submitted_are_left_out(tariff: Engine) -> None:
    submit(tariff, 2, APRIL)
    assert tell(tariff, before(2)) == 1
    [digest] = digests(tariff)
    assert [due.provider for due in digest.months] == ["ZX1"]


def test_what_is_late_and_what_is_near_stand_in_one_digest(tariff: Engine) -> None:
    assert tell(tariff, dt.date(2017, 6, 20)) == 2
    first = digests(tariff)[0]
    assert [(due.month, due.days_left) for due in first.months] == [
        ("2017-04", -30),
        ("2017-04", -30),
        ("2017-05", 1),
        ("2017-05", 1),
    ]


def test_two_at_once_tell_once(tariff: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: tell(tariff, before(0)), range(4)))
    assert sum(told) == 2
    assert len(digests(tariff)) == 2


def test_the_digest_is_a_notification(tariff: Engine) -> None:
    tell(tariff, before(2))
    with tariff.begin() as connection:
        near = select(events).where(events.c.name == "deadlines.near")
        for row in connection.execute(near).all():
            notify(connection, row.event_id, read_event(row.name, row.payload))
        told = connection.execute(select(notifications).order_by(notifications.c.user_id)).all()
    assert [(row.user_id, row.topic, row.title) for row in told] == [
        (1, "deadlines", "2 months are to be submitted"),
        (2, "deadlines", "April 2017 is due in 2 days"),
    ]
