"""However often an event is delivered, and to whomever, a person gets one notification."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from core.database.tables import (
    charges,
    files,
    notifications,
    organisations,
    submissions,
    users,
)
from core.events.outbox import raise_event
from core.notifications.choices import choose
from core.notifications.notify import notify
from core.vocabulary.event_catalogue import CATALOGUE
from core.vocabulary.topics import Channel, Topic
from tests.subscribed import subscribe

ROLES = ("provider", "commissioner", "operator")
PEOPLE = (1, 2, 3, 4)
COUNTED = {"records": 1, "episodes": 1, "charges": 1, "amount_pence": 1}
MONTH = {"provider": "ZX1", "month": "2017-04", "submission_id": 1}
EVENTS = {
    "file.checked": {
        **MONTH,
        "file_id": 1,
        "file": "a.csv",
        "state": "ready",
        "records": 1,
        "errors": 0,
        "warnings": 0,
    },
    "submission.submitted": {**MONTH, **COUNTED, "run_id": 1},
    "submission.drafted": {**MONTH, **COUNTED, "run_id": 1},
    "run.failed": {"failed_subject": "x/1", "failed_title": "x", "attempts": 3, "reason": "x"},
}


@pytest.fixture
def month(database: Engine) -> Iterator[Engine]:
    """Four people without roles; the first uploaded a file, and a run charges a commissioner."""
    with database.begin() as connection:
        for number in PEOPLE:
            connection.execute(users.insert().values(id=number, subject=f"p{number}", name="P"))
        connection.execute(
            organisations.insert(),
            [
                {"id": 1, "kind": "provider", "code": "ZX1", "name": "Z"},
                {"id": 2, "kind": "commissioner", "code": "E09000030", "name": "T"},
            ],
        )
        connection.execute(submissions.insert().values(id=1, provider_id=1, month="2017-04-01"))
        connection.execute(
            files.insert().values(
                id=1,
                submission_id=1,
                position=1,
                name="a.csv",
                storage_key="a",
                size=1,
                sha256="a",
                uploaded_by=1,
            )
        )
        connection.execute(
            charges.insert().values(
                run_id=1,
                chunk=0,
                clinic_id="c",
                patient_id="p",
                attendance_date="2017-04-03",
                currency="T2",
                rate_type="primary",
                rate_pence=1,
                factor=1,
                amount_pence=1,
                commissioner="E09000030",
                basis="b",
                reason_id=1,
            )
        )
    yield database


roles = st.sets(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(ROLES)))
unwanted = st.sets(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(Topic)))
delivered = st.lists(st.sampled_from(sorted(EVENTS)), min_size=1, max_size=3)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(roles=roles, unwanted=unwanted, names=delivered, times=st.integers(1, 4))
def test_one_notification_an_event_and_person(
    month: Engine,
    roles: set[tuple[int, str]],
    unwanted: set[tuple[int, Topic]],
    names: list[str],
    times: int,
) -> None:
    of_role = {"provider": 1, "commissioner": 2, "operator": None}
    with month.connect() as connection:  # never committed: each example begins anew
        for person, role in roles:
            subscribe(connection, person, role, of_role[role])
        for person, topic in unwanted:
            choose(connection, person, {(topic, Channel.PORTAL): False})
        ids = {}
        for name in names:
            event = CATALOGUE[name].model_validate(EVENTS[name])
            event_id = uuid4()
            raise_event(connection, event, event_id=event_id)
            ids[event_id] = name
            for _ in range(times):
                notify(connection, event_id, event)
        rows = connection.execute(select(notifications)).all()
    assert all(
        count == 1 for count in Counter((row.event_id, row.user_id) for row in rows).values()
    )
    found = {(row.event_id, row.user_id) for row in rows}
    assert found == {
        (event_id, person)
        for event_id, name in ids.items()
        for person in expected_recipients(name, roles)
    }
    for row in rows:
        assert row.in_portal == ((row.user_id, row.topic) not in unwanted)


def expected_recipients(name: str, roles: set[tuple[int, str]]) -> set[int]:
    """The recipients by the rules as people state them."""
    if name == "file.checked":
        return {1}
    wanted = {
        "submission.drafted": {"provider"},
        "submission.submitted": {"provider", "commissioner"},
        "run.failed": {"operator"},
    }[name]
    return {person for person, role in roles if role in wanted}
