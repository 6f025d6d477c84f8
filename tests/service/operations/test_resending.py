"""What an event has led to is not done twice; what failed or was lost is done again."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, func, insert, select

from core.access.scope import EVERYTHING
from core.database.tables import audit, event_deliveries, events
from core.events.event_list import EventRow, EventSearch, list_events
from core.events.outbox import raise_event
from core.operations.resending import flow_runs_of, raise_again, resend
from core.user_errors import UserError
from core.vocabulary.event_catalogue import FileReceived

RECEIVED = FileReceived(
    file_id=12, submission_id=3, provider="ZX1", month="2017-04", file="april.csv"
)
RUN = uuid4()


@pytest.fixture
def event_id(database: Engine) -> UUID:
    """An event that is complete: one rule done, one given up."""
    with database.begin() as connection:
        number = raise_event(connection, RECEIVED)
        connection.execute(events.update().values(routed_at=func.now(), delivered_at=func.now()))
        done: dict[str, Any] = {
            "event_id": number,
            "rule": "check",
            "target": "queue check-file/check-file",
            "result": {"flow_run": str(RUN)},
            "delivered_at": func.now(),
        }
        failed = {"rule": "tell", "target": "function notify", "attempts": 3, "failure": "gone"}
        connection.execute(insert(event_deliveries).values(done))
        connection.execute(insert(event_deliveries).values(event_id=number, **failed))
    return number


def rows(database: Engine, **wanted: Any) -> list[EventRow]:
    with database.connect() as connection:
        return list_events(connection, EVERYTHING, EventSearch(**wanted), limit=10)


def left(database: Engine) -> dict[str, bool]:
    """The deliveries there are, and whether each is done."""
    with database.connect() as connection:
        wanted = select(event_deliveries.c.rule, event_deliveries.c.delivered_at.is_not(None))
        return {row[0]: row[1] for row in connection.execute(wanted)}


def test_an_event_is_listed_with_what_came_of_it(database: Engine, event_id: UUID) -> None:
    [row] = rows(database)
    assert (row.event_id, row.title, row.complete) == (event_id, "ZX1 2017-04 april.csv", True)
    check, tell = row.rules
    assert (check.rule, check.outcome, check.flow_run) == ("check", "done", RUN)
    assert (tell.rule, tell.outcome, tell.failure) == ("tell", "failed", "gone")
    assert flow_runs_of([row]) == {RUN}


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"name": "file.received"}, 1),
        ({"name": "file.*"}, 1),
        ({"name": "file.rec"}, 0),
        ({"name": "fil*"}, 0),
        ({"subject": "file/12"}, 1),
        ({"subject": "file/1"}, 0),
    ],
)
def test_events_are_found_by_name_and_subject(
    database: Engine, event_id: UUID, wanted: dict[str, str], count: int
) -> None:
    assert len(rows(database, **wanted)) == count


def test_only_what_failed_is_sent_again(database: Engine, event_id: UUID) -> None:
    with database.begin() as connection:
        assert resend(connection, rows(database)) == 1
    assert left(database) == {"check": True}
    [row] = rows(database)
    assert not row.complete
    with database.connect() as connection:
        [noted] = connection.execute(select(audit)).all()
    assert (noted.action, noted.subject) == ("event sent again", f"event/{event_id}")


def test_a_run_that_prefect_has_lost_is_started_again(database: Engine, event_id: UUID) -> None:
    with database.begin() as connection:
        assert resend(connection, rows(database), gone={RUN}) == 2
    assert left(database) == {}


def test_raised_again_it_is_another_event(database: Engine, event_id: UUID) -> None:
    with database.begin() as connection:
        [again] = raise_again(connection, rows(database))
    assert again != event_id
    newest, first = rows(database)
    assert (newest.event_id, newest.payload) == (again, first.payload)
    assert left(database) == {"check": True, "tell": False}


def test_an_event_of_another_version_cannot_be_raised_again(database: Engine) -> None:
    old = {"event_id": uuid4(), "name": "file.eaten", "subject": "file/1", "payload": {}}
    with database.begin() as connection:
        connection.execute(insert(events).values(old))
    assert rows(database)[0].title == "file/1"
    with pytest.raises(UserError, match=r"file\.eaten.*another version"), database.begin() as c:
        raise_again(c, rows(database))
