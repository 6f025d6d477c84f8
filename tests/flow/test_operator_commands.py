"""What an operator types: events, logs and queues, on services that run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx2
import pytest
import sqlalchemy as sa

from core.database.tables import audit, event_deliveries
from core.events.outbox import raise_event
from core.vocabulary.event_catalogue import RunFailed
from tests.flow.conftest import Until

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services

Grouper = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def environment(services: Services, populated: Engine) -> dict[str, str]:
    found = {**os.environ, **services.settings.environment()}
    found.pop("GROUPER_DATABASE_URL", None)
    return found


@pytest.fixture(scope="module")
def grouper(environment: dict[str, str]) -> Grouper:
    command = [sys.executable, "-m", "cli.main"]
    return lambda *arguments: subprocess.run(
        [*command, *arguments],
        capture_output=True, text=True, check=False, timeout=60, env=environment,
    )  # fmt: skip


def fail(populated: Engine, subject: str) -> UUID:
    """An event that leads to posts alone."""
    event = RunFailed(failed_subject=subject, failed_title="april.csv", attempts=3, reason="gone")
    with populated.begin() as connection:
        return raise_event(connection, event)


def rules_done(populated: Engine, event_id: UUID) -> set[str]:
    wanted = sa.select(event_deliveries.c.rule).where(
        event_deliveries.c.event_id == event_id, event_deliveries.c.delivered_at.is_not(None)
    )
    with populated.connect() as connection:
        return set(connection.execute(wanted).scalars())


@pytest.fixture(scope="module")
def subject() -> str:
    return f"file/{uuid4().int % 10**9 + 10**9}"


@pytest.fixture(scope="module")
def event_id(populated: Engine, subject: str) -> UUID:
    return fail(populated, subject)


RULES = {"log-activity", "log-operations", "tell-people"}


def test_events_are_listed_with_what_came_of_them(
    grouper: Grouper, populated: Engine, subject: str, event_id: UUID, until: Until
) -> None:
    until(lambda: rules_done(populated, event_id) == RULES)
    done = grouper("events", "list", "--subject", subject, "--since", "1h", "--json")
    assert done.returncode == 0, done.stderr
    [found] = json.loads(done.stdout)["events"]
    assert (found["event_id"], found["name"], found["complete"]) == (
        str(event_id), "run.failed", True,
    )  # fmt: skip
    assert {rule["rule"]: rule["outcome"] for rule in found["rules"]} == dict.fromkeys(
        RULES, "done"
    )
    said = grouper("events", "--subject", subject).stdout
    assert "run.failed  april.csv" in said
    assert "log-operations: log operations" in said


def test_logs_are_searched(grouper: Grouper, subject: str, event_id: UUID) -> None:
    done = grouper("logs", "operations", "--subject", subject, "--text", "GONE", "--json")
    [post] = json.loads(done.stdout)["posts"]
    assert post["text"] == "run.failed: april.csv: gone"
    nothing = grouper("logs", "operations", "--subject", subject, "--text", "no such text")
    assert (nothing.returncode, nothing.stdout) == (0, "No post fits.\n")
    wrong = grouper("logs", "operation")
    assert wrong.returncode == 2
    assert "no log group 'operation'; there are activity, operations" in wrong.stderr


def test_what_was_done_is_not_done_again_unless_it_is_asked_for(
    grouper: Grouper, populated: Engine, subject: str, event_id: UUID, until: Until
) -> None:
    lost = event_deliveries.update().where(
        event_deliveries.c.event_id == event_id, event_deliveries.c.rule == "log-activity"
    )
    with populated.begin() as connection:
        connection.execute(lost.values(delivered_at=None, attempts=3, failure="refused"))
    done = grouper("events", "resend", str(event_id))
    assert "1 event sent again; 1 rule without effect" in done.stdout
    until(lambda: rules_done(populated, event_id) == RULES)
    again = json.loads(grouper("events", "resend", str(event_id), "--again", "--json").stdout)
    [raised] = again["raised_as"]
    until(lambda: rules_done(populated, UUID(raised)) == RULES)
    posts = json.loads(grouper("logs", "activity", "--subject", subject, "--json").stdout)["posts"]
    assert len(posts) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["events", "resend"], "name the events by their ids, or say --since"),
        (["events", "resend", str(UUID(int=1))], "there is no event"),
        (["events", "--since", "yesterday"], "'yesterday' is no moment: write 30m"),
        (["queues", "pause", "check"], "there is no queue 'check'; there are checks"),
    ],
)
def test_wrong_use_is_told_in_one_line(grouper: Grouper, arguments: list[str], said: str) -> None:
    done = grouper(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def queue(grouper: Grouper, name: str) -> dict[str, Any]:
    found = json.loads(grouper("queues", "--json").stdout)["queues"]
    return next(each for each in found if each["name"] == name)


def test_a_queue_is_paused_and_resumed(
    grouper: Grouper, populated: Engine, http: httpx2.Client
) -> None:
    place = "/work_pools/grouper/queues/spiders"
    assert grouper("queues", "pause", "spiders").returncode == 0
    assert http.get(place).json()["is_paused"]
    assert queue(grouper, "spiders")["paused"]
    assert "paused" in grouper("queues").stdout
    assert grouper("queues", "resume", "spiders").returncode == 0
    assert not http.get(place).json()["is_paused"]
    with populated.connect() as connection:
        wanted = sa.select(audit.c.action).where(audit.c.subject == "queue/spiders")
        actions = connection.execute(wanted.order_by(audit.c.id)).scalars().all()
    assert actions[-2:] == ["queue paused", "queue resumed"]


def test_what_waits_is_counted_wherever_it_waits(
    grouper: Grouper, http: httpx2.Client, probe: str
) -> None:
    place = "/work_pools/grouper/queues/housekeeping"
    http.patch(place, json={"is_paused": True}).raise_for_status()
    deployment = http.get(f"/deployments/name/{probe}").json()["id"]
    body = {"state": {"type": "SCHEDULED"}, "parameters": {"file_id": 1, "folder": "/nowhere"}}
    made = http.post(f"/deployments/{deployment}/create_flow_run", json=body).json()
    try:
        found = queue(grouper, "housekeeping")
        assert (found["limit"], found["waiting"], found["running"]) == (1, 1, 0)
        assert 0 < found["oldest_wait"] < 60
    finally:
        http.delete(f"/flow_runs/{made['id']}").raise_for_status()
        http.patch(place, json={"is_paused": False}).raise_for_status()


@pytest.fixture
def follow(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-u", "-m", "cli.main", *arguments, "--follow", "--json"]
        started.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_events_and_posts_are_followed_as_they_come(
    follow: Callable[..., subprocess.Popen[str]], populated: Engine, until: Until
) -> None:
    subject = f"file/{uuid4().int % 10**9 + 10**9}"
    events = follow("events", "--subject", subject)
    logs = follow("logs", "operations", "--subject", subject)
    listening = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND application_name "
        "IN ('grouper grouper_events', 'grouper grouper_logs')"
    )

    def both_listen() -> bool:
        with populated.connect() as connection:
            return connection.execute(listening).scalar_one() == 2

    until(both_listen)
    event_id = fail(populated, subject)
    assert logs.stdout is not None
    assert json.loads(logs.stdout.readline())["text"] == "run.failed: april.csv: gone"
    assert events.stdout is not None
    for line in events.stdout:
        found = json.loads(line)
        assert found["event_id"] == str(event_id)
        if found["complete"]:
            break
    assert {rule["rule"] for rule in found["rules"]} == RULES
