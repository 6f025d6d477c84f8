"""Log groups are appended to and searched, never changed, and end when their time has come."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

from core.access.scope import EVERYTHING
from core.database.tables import log_posts
from core.events.log_groups import CHANNEL, LogSearch, end_posts, log_groups, post, search

NOW = dt.datetime.now(dt.UTC)
OLD = NOW - dt.timedelta(days=400)


@pytest.fixture
def posted(database: Engine) -> Engine:
    lines = [
        ("activity", "file/1", "file.received: ZX1 2017-04 april.csv", OLD),
        ("activity", "file/2", "file.received: ZX2 2017-04 100%_sure.csv", NOW),
        ("operations", "file/1", "run.failed: ZX1 2017-04 April.csv: gone", NOW),
    ]
    with database.begin() as connection:
        rows = [
            {"log_group": group, "subject": about, "text": said, "at": at}
            for group, about, said, at in lines
        ]
        connection.execute(log_posts.insert(), rows)
    return database


def found_posts(database: Engine, **wanted: object) -> list[str]:
    with database.connect() as connection:
        posts = search(connection, EVERYTHING, LogSearch(**wanted), limit=10)  # type: ignore[arg-type]
    return [each.text.partition(":")[0] + " " + each.subject for each in posts]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["run.failed file/1", "file.received file/2", "file.received file/1"]),
        ({"group": "operations"}, ["run.failed file/1"]),
        ({"subject": "file/1"}, ["run.failed file/1", "file.received file/1"]),
        ({"text": "APRIL.csv"}, ["run.failed file/1", "file.received file/1"]),
        ({"text": "100%_s"}, ["file.received file/2"]),
        ({"text": "%"}, ["file.received file/2"]),
        ({"since": NOW}, ["run.failed file/1", "file.received file/2"]),
        ({"until": NOW}, ["file.received file/1"]),
        ({"group": "activity", "text": "april", "since": NOW}, []),
    ],
)
def test_posts_are_found_by_time_subject_and_text(
    posted: Engine, wanted: dict[str, object], expected: list[str]
) -> None:
    assert found_posts(posted, **wanted) == expected


def test_a_search_of_text_uses_its_index(posted: Engine) -> None:
    with posted.connect() as connection:
        connection.execute(text("SET enable_seqscan = off"))
        plan = connection.execute(
            text("EXPLAIN SELECT * FROM log_posts WHERE text ILIKE '%april%'")
        ).scalars()
        assert "ix_log_posts_text" in "".join(plan)


def test_an_event_is_posted_to_a_group_once(database: Engine, database_url: str) -> None:
    event_id = uuid4()
    with psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        for expected in (True, False):
            with database.begin() as connection:
                assert post(connection, "a", "file/1", "x", event_id=event_id) is expected
        heard = [each.payload for each in listener.notifies(timeout=0.5)]
    with database.connect() as connection:
        assert heard == [
            str(number) for number in connection.execute(select(log_posts.c.id)).scalars()
        ]
        assert [(group.name, group.posts) for group in log_groups(connection, EVERYTHING)] == [
            ("a", 1)
        ]


@pytest.mark.parametrize(
    "change",
    ["UPDATE log_posts SET text = ''", "DELETE FROM log_posts", "TRUNCATE log_posts"],
)
def test_what_was_posted_stays(posted: Engine, change: str) -> None:
    with pytest.raises(DBAPIError, match="never changed"), posted.begin() as connection:
        connection.execute(text(change))


def test_what_is_old_enough_ends_and_a_second_time_nothing_does(posted: Engine) -> None:
    before = NOW - dt.timedelta(days=365)
    for expected in (1, 0):
        with posted.begin() as connection:
            assert end_posts(connection, before) == expected
    assert len(found_posts(posted)) == 2


def test_retention_lets_nothing_else_go(posted: Engine) -> None:
    with pytest.raises(DBAPIError, match="never changed"), posted.begin() as connection:
        end_posts(connection, NOW - dt.timedelta(days=365))
        connection.execute(log_posts.delete())
    assert len(found_posts(posted)) == 3
