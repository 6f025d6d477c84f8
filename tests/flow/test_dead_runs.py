"""Runs whose process is gone give their places free, and their work is done all the same."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import httpx2
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from core.access.scope import EVERYTHING
from core.database import tables
from core.database.locks import FLOW_RUN, subject_lock
from core.events.failures import list_failures
from core.events.outbox import raise_event
from core.operations.retrying import retry
from core.vocabulary.event_catalogue import KpisRequested
from core.vocabulary.failure_kinds import FailureKind
from deployments.dead_runs import ATTEMPTS
from deployments.orphaned_work import Sweep
from deployments.prefect_api import PrefectApi
from deployments.queues import Queue, Queues
from deployments.relay import Relay
from deployments.rules import Rules

START = {"deployment": "probe/idle", "parameters": {"file_id": 1, "folder": "/nowhere"}}
RULES = Rules.model_validate(
    {"rules": [{"name": "measure", "on": "kpis.requested", "target": {"queue": START}}]}
)
QUEUES = Queues(pool="idle", queues={"default": Queue(limit=2, priority=1)})
ASKED = KpisRequested(run_id=1, submission_id=1, provider="ZX1", month="2017-04")
AT_WORK = ["SCHEDULED", "PENDING", "RUNNING"]


@pytest.fixture
def relay(database: Engine, api: PrefectApi, http: httpx2.Client, probe: str) -> Relay:
    """One that has asked for a run to be measured, on a queue with no worker and nothing else."""
    assert probe
    open_runs = {"work_pools": {"name": {"any_": ["idle"]}},
                 "flow_runs": {"state": {"type": {"any_": AT_WORK}}}}  # fmt: skip
    for run in http.post("/flow_runs/filter", json=open_runs).json():
        set_state(http, run["id"], "COMPLETED")
    made = Relay(database, api, RULES, QUEUES)
    with database.begin() as connection:
        organisations, submissions = tables.organisations, tables.submissions
        connection.execute(organisations.insert().values(kind="provider", code="ZX1", name="Z"))
        connection.execute(submissions.insert().values(provider_id=1, month=date(2017, 4, 1)))
        run = {"submission_id": 1, "number": 1, "kind": "final"}
        connection.execute(tables.runs.insert().values(run))
        raise_event(connection, ASKED)
    made.deliver_pending()
    return made


def set_state(http: httpx2.Client, run: str, state: str) -> None:
    body = {"state": {"type": state}, "force": True}
    http.post(f"/flow_runs/{run}/set_state", json=body).raise_for_status()


def state_of(http: httpx2.Client, run: str) -> str:
    return str(http.get(f"/flow_runs/{run}").raise_for_status().json()["state"]["type"])


def newest(database: Engine) -> str:
    """The run that the newest delivery led to."""
    query = sa.select(tables.event_deliveries.c.result).order_by(
        tables.event_deliveries.c.delivered_at.desc()
    )
    with database.connect() as connection:
        result: Any = connection.execute(query.limit(1)).scalar_one()
    return str(result["flow_run"])


def sweep(relay: Relay) -> int:
    """Long after everything: what is at work and held by nobody is dead."""
    return Sweep(relay, nothing_before=datetime.now(UTC))()


@pytest.mark.parametrize("state", ["PENDING", "RUNNING"])
def test_it_is_buried_and_its_work_is_started_again(
    relay: Relay, database: Engine, http: httpx2.Client, state: str
) -> None:
    dead = newest(database)
    set_state(http, dead, state)
    assert Sweep(relay)() == 0  # it may just be on its way
    assert state_of(http, dead) == state
    assert sweep(relay) == 1
    assert state_of(http, dead) == "CRASHED"
    again = newest(database)
    assert again != dead
    assert state_of(http, again) == "SCHEDULED"
    assert sweep(relay) == 0


def test_a_run_that_lives_is_left_alone(
    relay: Relay, database: Engine, database_url: str, http: httpx2.Client
) -> None:
    run = newest(database)
    set_state(http, run, "RUNNING")
    with subject_lock(database_url, FLOW_RUN, UUID(run)):
        assert sweep(relay) == 0
        assert state_of(http, run) == "RUNNING"
    assert sweep(relay) == 1


def test_one_that_was_planned_is_buried_and_comes_again_when_it_is_planned(
    relay: Relay, api: PrefectApi, http: httpx2.Client
) -> None:
    deployment = http.get("/deployments/name/probe/idle").json()["id"]
    body = {"parameters": START["parameters"], "state": {"type": "SCHEDULED"}}
    run = http.post(f"/deployments/{deployment}/create_flow_run", json=body).json()["id"]
    set_state(http, run, "RUNNING")
    assert sweep(relay) == 0
    assert state_of(http, run) == "CRASHED"


def test_after_its_last_attempt_it_waits_for_an_operator_and_is_asked_for_anew(
    relay: Relay, database: Engine, http: httpx2.Client
) -> None:
    runs = []
    for _ in range(ATTEMPTS):
        runs.append(newest(database))
        set_state(http, runs[-1], "CRASHED")
        assert sweep(relay) == 1
    assert len(set(runs)) == ATTEMPTS
    assert sweep(relay) == 0
    with database.begin() as connection:
        [failure] = list_failures(connection, EVERYTHING)
        assert (failure.kind, failure.attempts) == (FailureKind.MEASURING, ATTEMPTS)
        assert failure.title == "indicators of ZX1 2017-04"
        assert str(failure.flow_run) == runs[-1]
        retry(connection, failure.reference)
    relay.deliver_pending()
    assert newest(database) not in runs
    assert sweep(relay) == 0
