"""Events are written with the change they tell of, and wake whoever listens."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import Engine, select

from core.database.tables import events
from core.events.outbox import CHANNEL, raise_event, read_event
from core.vocabulary.event_catalogue import FileReceived

RECEIVED = FileReceived(
    file_id=12, submission_id=3, provider="ZX1", month="2017-04", file="april.csv"
)


def raised(database: Engine) -> list[UUID]:
    with database.connect() as connection:
        return list(connection.execute(select(events.c.event_id)).scalars())


def test_an_event_carries_its_payload_and_subject(database: Engine) -> None:
    with database.begin() as connection:
        raise_event(connection, RECEIVED)
    with database.connect() as connection:
        row = connection.execute(select(events)).one()
    assert (row.name, row.subject, row.delivered_at) == ("file.received", "file/12", None)
    assert read_event(row.name, row.payload) == RECEIVED


def test_a_transaction_that_fails_leaves_no_event(database: Engine) -> None:
    with pytest.raises(ZeroDivisionError), database.begin() as connection:
        raise_event(connection, RECEIVED)
        raise ZeroDivisionError
    assert raised(database) == []


def test_the_same_event_id_is_written_once(database: Engine) -> None:
    event_id = uuid4()
    for _ in range(2):
        with database.begin() as connection:
            raise_event(connection, RECEIVED, event_id=event_id)
    assert raised(database) == [event_id]


def test_listeners_hear_of_it_when_it_is_committed(database: Engine, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        with database.begin() as connection:
            event_id = raise_event(connection, RECEIVED)
            assert list(listener.notifies(timeout=0)) == []
        heard = next(listener.notifies(timeout=10, stop_after=1))
    assert heard.payload == str(event_id)
