"""Turns on a real server: one provider's long list does not keep another waiting."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from core.database.tables import event_deliveries, events, log_posts, users
from core.engine.samples.activity import make_activity
from core.engine.samples.writing import write_activity
from core.events.outbox import raise_event
from core.vocabulary.event_catalogue import FileReceived, ReportRequested
from deployments.demo import story
from deployments.demo.activity import DemoFile
from deployments.prefect_api import PrefectApi
from deployments.queues import Queue, Queues
from deployments.relay import Relay
from deployments.rules import Rules

START = {"deployment": "probe/idle", "parameters": {"file_id": 1, "folder": "/nowhere"}}
RULES = Rules.model_validate(
    {
        "rules": [
            {"name": "start", "on": ["file.received", "report.requested"],
             "target": {"queue": START}},
            {"name": "again", "on": "file.corrected", "target": {"queue": START}},
        ]
    }
)  # fmt: skip


@pytest.fixture
def queues(http: httpx2.Client, probe: str) -> Queues:
    """The queue of the pool that has no worker, with a limit of two, and empty."""
    wanted = {
        "work_pools": {"name": {"any_": ["idle"]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED", "PENDING", "RUNNING"]}}},
    }
    for run in http.post("/flow_runs/filter", json=wanted).json():
        end(http, run["id"])
    return Queues(pool="idle", queues={"default": Queue(limit=2, priority=1)})


@pytest.fixture
def relay(database: Engine, api: PrefectApi, queues: Queues) -> Relay:
    return Relay(database, api, RULES, queues)


def end(http: httpx2.Client, run: UUID | str) -> None:
    body = {"state": {"type": "COMPLETED"}, "force": True}
    http.post(f"/flow_runs/{run}/set_state", json=body).raise_for_status()


def ask(database: Engine, provider: str, number: int) -> None:
    event = FileReceived(
        file_id=number, submission_id=1, provider=provider, month="2017-04", file="april.csv"
    )
    with database.begin() as connection:
        raise_event(connection, event)


def started(database: Engine) -> dict[str, str]:
    """The runs that were created, by subject, in the order of the events."""
    wanted = (
        sa.select(events.c.subject, event_deliveries.c.result["flow_run"].astext)
        .join(event_deliveries, event_deliveries.c.event_id == events.c.event_id)
        .where(event_deliveries.c.result.has_key("flow_run"))
        .order_by(events.c.id)
    )
    with database.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(wanted)}


def test_b_starts_before_the_third_of_a(
    relay: Relay, database: Engine, http: httpx2.Client
) -> None:
    for number in range(1, 7):
        ask(database, "ZX1", number)
    relay.deliver_pending()
    assert list(started(database)) == ["file/1", "file/2"]
    ask(database, "ZX2", 7)
    relay.deliver_pending()
    assert list(started(database)) == ["file/1", "file/2", "file/7"]
    assert relay.held_back
    end(http, started(database)["file/1"])
    relay.deliver_pending()
    assert list(started(database)) == ["file/1", "file/2", "file/3", "file/7"]


def test_what_waits_is_started_as_room_comes_and_nothing_twice(
    relay: Relay, database: Engine, http: httpx2.Client
) -> None:
    for number in range(1, 8):
        ask(database, f"ZX{number % 2}", number)
    ended: set[str] = set()
    while len(ended) < 7:
        relay.deliver_pending()
        runs = [run for run in started(database).values() if run not in ended]
        assert 0 < len(runs) <= 4
        end(http, runs[0])
        ended.add(runs[0])
    assert not relay.held_back
    assert relay.deliver_pending() == 0
    with database.connect() as connection:
        undelivered = sa.select(sa.func.count()).where(events.c.delivered_at.is_(None))
        assert connection.execute(undelivered).scalar_one() == 0


def test_reports_take_the_turn_of_who_asked(relay: Relay, database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(
            users.insert(),
            [{"id": 1, "subject": "amira", "name": "A"}, {"id": 2, "subject": "ben", "name": "B"}],
        )
        for number, user in enumerate([1, 1, 1, 2], start=1):
            report = ReportRequested(report_id=number, kind="backing-data", report="x")
            raise_event(connection, report, user)
    relay.deliver_pending()
    assert list(started(database)) == ["report/1", "report/2", "report/4"]


def test_a_rule_that_is_gone_lets_go_of_what_waits(
    relay: Relay, database: Engine, api: PrefectApi
) -> None:
    for number in range(1, 5):
        ask(database, "ZX1", number)
    relay.deliver_pending()
    log = [{"name": "log", "on": "*", "target": {"log": {"group": "activity"}}}]
    later = Relay(database, api, Rules.model_validate({"rules": log}))
    later.forget_gone_rules()
    assert later.deliver_pending() == 2
    assert list(started(database)) == ["file/1", "file/2"]
    with database.connect() as connection:
        rules = connection.execute(sa.select(event_deliveries.c.rule).order_by("rule")).scalars()
        assert list(rules) == ["log", "log", "start", "start"]


def turn_of(http: httpx2.Client, engine: Engine, file: int) -> dt.datetime:
    """A file's place in the line of the workers, who take the earliest first.

    When its check began says less: two that are taken together begin in either order.
    """
    run = (
        sa.select(event_deliveries.c.result["flow_run"].astext)
        .join(events, events.c.event_id == event_deliveries.c.event_id)
        .where(
            events.c.subject == f"file/{file}",
            events.c.name == "file.received",
            event_deliveries.c.rule == "check-received-file",
        )
    )
    with engine.connect() as connection:
        number = connection.execute(run).scalar_one()
    run_of_file = http.get(f"/flow_runs/{number}").raise_for_status().json()
    return dt.datetime.fromisoformat(run_of_file["expected_start_time"])


def test_b_is_in_line_of_a_real_worker_before_the_third_of_a(
    populated: Engine, http: httpx2.Client, tmp_path: Path
) -> None:
    month = dt.date(2018, 3, 1)
    people = {"ZX1": "amira@zx1.example", "ZX2": "ben@zx2.example"}
    with populated.connect() as connection:
        known = dict(connection.execute(sa.select(users.c.subject, users.c.id)).tuples().all())
    asked = []
    for number, provider in enumerate(["ZX1", "ZX1", "ZX1", "ZX2"]):
        meant = make_activity(50, provider, month, seed=number)
        path = tmp_path / f"{number}.csv"
        write_activity(meant, path)
        file = DemoFile(provider, path, {}, meant)
        asked.append(story.upload(populated, file, known[people[provider]], month=month))
    for each in asked:
        assert story.wait_for_check(populated, each).state == "ready"
    *of_a, of_b = [turn_of(http, populated, each.file_id) for each in asked]
    assert of_a == sorted(of_a)
    assert of_a[0] < of_b < of_a[2]


@pytest.mark.slow
def test_a_burst_of_a_thousand_events_creates_each_run_once(
    database: Engine, api: PrefectApi, probe: str, http: httpx2.Client, services: Any
) -> None:
    """Two relays at once, each rule of each event, in whatever order they get at them."""
    log = {"name": "log", "on": "*", "target": {"log": {"group": "activity"}}}
    rules = Rules.model_validate({"rules": [*RULES.model_dump()["rules"], log]})
    for number in range(1, 1001):
        ask(database, f"ZX{number % 10}", number)
    with PrefectApi(services.settings) as other, ThreadPoolExecutor(2) as pool:
        relays = [Relay(database, each, rules) for each in (api, other)]
        assert sum(pool.map(Relay.deliver_pending, relays)) == 1000
    with database.connect() as connection:
        rules_done = connection.execute(sa.select(event_deliveries.c.rule)).scalars()
        assert Counter(rules_done) == {"start": 1000, "log": 1000}
        assert connection.execute(sa.select(sa.func.count(log_posts.c.id))).scalar_one() == 1000
    runs = started(database)
    assert len(set(runs.values())) == 1000
    assert set(runs.values()) == {run["id"] for run in runs_of(http, database)}


def runs_of(http: httpx2.Client, database: Engine) -> list[dict[str, Any]]:
    """Every run that Prefect made of an event of this database, by the keys of the runs."""
    with database.connect() as connection:
        numbers = connection.execute(sa.select(events.c.event_id)).scalars().all()
    found: list[dict[str, Any]] = []
    for first in range(0, len(numbers), 200):
        keys = [f"{number}:start" for number in numbers[first : first + 200]]
        wanted = {"flow_runs": {"idempotency_key": {"any_": keys}}}
        found += http.post("/flow_runs/filter", json=wanted).raise_for_status().json()
    return found
