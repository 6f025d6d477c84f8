"""Work that nobody does any more is found and started again, and only that."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import Connection, Engine, insert, select

from core.database.locks import subject_lock
from core.database.tables import (
    event_deliveries,
    events,
    files,
    organisations,
    reports,
    runs,
    submissions,
)
from core.events.outbox import raise_event
from core.vocabulary.event_catalogue import FileReceived, ReportRequested, SubmissionRequested
from core.vocabulary.states.reports import REPORT_MACHINE
from core.vocabulary.states.submissions import FILE_MACHINE, SUBMISSION_MACHINE
from deployments import dead_runs
from deployments.dead_runs import ATTEMPTS
from deployments.orphaned_work import Sweep
from deployments.prefect_api import PrefectApi
from deployments.queues import Queues
from deployments.relay import Relay
from deployments.rules import Rules
from tests.service.month import way

EVENTS = {"file": "file.received", "submission": "submission.requested",
          "report": "report.requested"}  # fmt: skip
ASKED = {
    "file": FileReceived(
        file_id=1, submission_id=1, provider="ZX1", month="2017-04", file="april.csv"
    ),
    "submission": SubmissionRequested(
        submission_id=1, run_id=1, provider="ZX1", month="2017-04", kind="final"
    ),
    "report": ReportRequested(report_id=1, kind="backing-data", report="ZX1 2017-04"),
}
TABLES = {"file": files, "submission": submissions, "report": reports}
AT_WORK = {"file": "checking", "submission": "pricing", "report": "collating"}
AT_REST = {"file": "ready", "submission": "open", "report": "ready"}
FAILED = {"file": "rejected", "submission": "failed", "report": "failed"}
MACHINES = {"file": FILE_MACHINE, "submission": SUBMISSION_MACHINE, "report": REPORT_MACHINE}


def move_to_state(connection: Connection, kind: str, state: str) -> None:
    """Moves the one file, submission or report to a state, by declared transitions alone."""
    machine, table = MACHINES[kind], TABLES[kind]
    start = connection.execute(select(table.c.state)).scalar_one()
    for step in way(machine.follows, start, state):
        connection.execute(table.update().values(state=step))


@pytest.fixture
def relay(database: Engine, api: PrefectApi, probe: str, tmp_path: Path) -> Relay:
    assert probe
    start = {
        "deployment": "probe/idle",
        "parameters": {"file_id": 1, "folder": str(tmp_path)},
        "run_name": "{title}",
    }
    rules = [{"name": "start", "on": list(EVENTS.values()), "target": {"queue": start}}]
    nobody = Queues(pool="idle", queues={})
    return Relay(database, api, Rules.model_validate({"rules": rules}), nobody)


@pytest.fixture(params=list(TABLES))
def kind(request: pytest.FixtureRequest, database: Engine) -> str:
    """A file, a submission or a report at work, whose event is raised."""
    chosen: str = request.param
    with database.begin() as connection:
        connection.execute(insert(organisations).values(kind="provider", code="ZX1", name="Z"))
        connection.execute(insert(submissions).values(provider_id=1, month=date(2017, 4, 1)))
        file = {"position": 1, "name": "april.csv", "storage_key": "k", "size": 1, "sha256": ""}
        connection.execute(insert(files).values(submission_id=1, **file))
        connection.execute(insert(reports).values(kind="backing-data"))
        connection.execute(insert(runs).values(submission_id=1, number=1, kind="final"))
        for other, rest in AT_REST.items():
            move_to_state(connection, other, AT_WORK[other] if other == chosen else rest)
        raise_event(connection, ASKED[chosen])
    return chosen


def last_run(database: Engine, http: httpx2.Client) -> dict[str, Any]:
    with database.connect() as connection:
        result = connection.execute(select(event_deliveries.c.result)).scalar_one()
    found: dict[str, Any] = http.get(f"/flow_runs/{result['flow_run']}").json()
    return found


def set_state(http: httpx2.Client, run: dict[str, Any], state: str) -> None:
    body = {"state": {"type": state}, "force": True}
    http.post(f"/flow_runs/{run['id']}/set_state", json=body).raise_for_status()


def attempts(database: Engine) -> int:
    with database.connect() as connection:
        return int(connection.execute(select(event_deliveries.c.attempts)).scalar_one())


def state_of(database: Engine, kind: str) -> str:
    with database.connect() as connection:
        return str(connection.execute(select(TABLES[kind].c.state)).scalar_one())


def test_a_run_that_waits_its_turn_is_left_alone(
    relay: Relay, database: Engine, kind: str, http: httpx2.Client
) -> None:
    relay.deliver_pending()
    before = last_run(database, http)
    assert Sweep(relay, nothing_before=datetime.now(UTC))() == 0
    assert last_run(database, http)["id"] == before["id"]


@pytest.mark.parametrize("state", ["CRASHED", "COMPLETED"])
def test_where_the_run_has_ended_and_the_work_is_not_done_it_starts_again(
    relay: Relay, database: Engine, kind: str, http: httpx2.Client, state: str
) -> None:
    relay.deliver_pending()
    before = last_run(database, http)
    set_state(http, before, state)
    assert Sweep(relay)() == 1
    again = last_run(database, http)
    assert again["id"] != before["id"]
    assert again["parameters"] == before["parameters"]
    assert attempts(database) == 2
    assert Sweep(relay)() == 0


def test_where_a_service_did_not_serve_it_the_work_pauses_first(
    relay: Relay,
    database: Engine,
    kind: str,
    http: httpx2.Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    relay.deliver_pending()
    before = last_run(database, http)
    set_state(http, before, "FAILED")
    assert Sweep(relay)() == 0
    assert last_run(database, http)["id"] == before["id"]
    monkeypatch.setattr(dead_runs, "FIRST_PAUSE_SECONDS", 0.0)
    assert Sweep(relay)() == 1
    assert last_run(database, http)["id"] != before["id"]


@pytest.mark.parametrize("state", ["PENDING", "RUNNING"])
def test_a_run_whose_worker_was_killed_is_buried_and_starts_again(
    relay: Relay, database: Engine, kind: str, http: httpx2.Client, state: str
) -> None:
    relay.deliver_pending()
    before = last_run(database, http)
    set_state(http, before, state)
    assert Sweep(relay)() == 0  # it may just be on its way
    assert Sweep(relay, nothing_before=datetime.now(UTC) - timedelta(hours=1))() == 0
    assert Sweep(relay, nothing_before=datetime.now(UTC))() == 1
    assert http.get(f"/flow_runs/{before['id']}").json()["state"]["type"] == "CRASHED"
    assert last_run(database, http)["id"] != before["id"]


def test_what_a_live_process_works_on_is_left_alone(
    relay: Relay, database: Engine, database_url: str, kind: str, http: httpx2.Client
) -> None:
    relay.deliver_pending()
    set_state(http, last_run(database, http), "CRASHED")  # Prefect may be wrong about it
    with subject_lock(database_url, kind, 1):
        assert Sweep(relay)() == 0
    assert Sweep(relay)() == 1


def test_work_that_is_done_is_left_alone(
    relay: Relay, database: Engine, kind: str, http: httpx2.Client
) -> None:
    relay.deliver_pending()
    set_state(http, last_run(database, http), "CRASHED")
    with database.begin() as connection:
        move_to_state(connection, kind, FAILED[kind])
    assert Sweep(relay)() == 0


def test_an_event_that_is_not_delivered_yet_is_left_to_the_delivery(
    relay: Relay, kind: str
) -> None:
    assert Sweep(relay)() == 0


def given_up(database: Engine) -> list[Any]:
    with database.connect() as connection:
        wanted = select(events.c.payload).where(events.c.name == "run.failed")
        return list(connection.execute(wanted).scalars())


def test_after_its_last_attempt_work_is_given_up_and_users_and_operators_are_told(
    relay: Relay, database: Engine, kind: str, http: httpx2.Client
) -> None:
    relay.deliver_pending()
    started: set[UUID] = set()
    for _ in range(ATTEMPTS):
        assert state_of(database, kind) == AT_WORK[kind]
        run = last_run(database, http)
        started.add(run["id"])
        set_state(http, run, "CRASHED")
        assert Sweep(relay)() == 1
    assert len(started) == ATTEMPTS
    assert state_of(database, kind) == FAILED[kind]
    with database.connect() as connection:
        told = connection.execute(select(TABLES[kind].c.failure)).scalar_one()
    [failed] = given_up(database)
    assert failed["failed_subject"] == f"{kind}/1"
    assert failed["attempts"] == ATTEMPTS
    reference = failed["reason"].rpartition(" ")[2]
    assert reference in told
    assert Sweep(relay)() == 0


def test_what_an_operator_cancelled_is_not_started_again(
    relay: Relay, database: Engine, kind: str, http: httpx2.Client
) -> None:
    relay.deliver_pending()
    set_state(http, last_run(database, http), "CANCELLED")
    assert Sweep(relay)() == 1
    assert state_of(database, kind) == FAILED[kind]
    assert "was cancelled" in given_up(database)[0]["reason"]
