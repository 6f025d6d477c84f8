"""The relay against a real server: each event acts once, whatever was down in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import Connection, Engine, insert, select, text

from core.access.scope import EVERYTHING
from core.database.tables import audit, event_deliveries, events, log_posts
from core.events.event_list import EventSearch, find_events
from core.events.failures import Failure, list_failures
from core.events.outbox import raise_event
from core.operations.resending import resend
from core.operations.retrying import retry
from core.vocabulary.event_catalogue import Event, FileReady, FileReceived, RunFailed
from core.vocabulary.states.events import FailureState
from deployments.deliveries import REFUSED_ATTEMPTS
from deployments.prefect_api import PrefectApi, ServerAwayError
from deployments.reactions import REACTIONS
from deployments.relay import Relay
from deployments.rules import Rules
from deployments.supervisor import Services
from tests.flow.conftest import Until


def rules(deployment: str, folder: Path, **more: Any) -> Rules:
    parameters = {"file_id": "{payload.file_id}", "folder": str(folder), **more}
    start = {"deployment": deployment, "parameters": parameters, "run_name": "probe {title}"}
    return Rules.model_validate(
        {
            "rules": [
                {"name": "start", "on": "file.received", "target": {"queue": start}},
                {"name": "log", "on": "*", "target": {"log": {"group": "activity"}}},
                {"name": "note", "on": "file.ready", "target": {"function": "note"}},
            ]
        }
    )


def received(number: int) -> FileReceived:
    return FileReceived(
        file_id=number, submission_id=1, provider="ZX1", month="2017-04", file="april.csv"
    )


def raise_(database: Engine, event: Event, **options: Any) -> UUID:
    with database.begin() as connection:
        return raise_event(connection, event, **options)


def runs(http: httpx2.Client, key: str) -> list[dict[str, Any]]:
    wanted = {"flow_runs": {"idempotency_key": {"any_": [key]}}}
    found: list[dict[str, Any]] = http.post("/flow_runs/filter", json=wanted).json()
    return found


def deliveries(database: Engine) -> list[Any]:
    with database.connect() as connection:
        return list(connection.execute(select(event_deliveries).order_by("rule")))


@pytest.fixture
def folder(open_folder: Path) -> Path:
    made = open_folder / f"probed-{uuid4().hex[:8]}"
    made.mkdir()
    return made


@pytest.fixture
def relay(database: Engine, api: PrefectApi, probe: str, folder: Path) -> Relay:
    return Relay(database, api, rules("probe/idle", folder))


@pytest.fixture
def note() -> Iterator[list[str]]:
    noted: list[str] = []

    def reaction(connection: Connection, _event_id: UUID, event: Event) -> None:
        connection.execute(insert(audit).values(action="note", subject=event.subject))
        noted.append(event.subject)
        if len(noted) == 1 and event.subject == "file/13":
            raise RuntimeError("the first time it fails")

    REACTIONS["note"] = reaction
    yield noted
    del REACTIONS["note"]


def test_an_event_becomes_a_run_with_a_name_that_says_what_it_is_for(
    relay: Relay, database: Engine, http: httpx2.Client
) -> None:
    event_id = raise_(database, received(12))
    assert relay.deliver_pending() == 1
    [run] = runs(http, f"{event_id}:start")
    assert run["name"] == "probe ZX1 2017-04 april.csv"
    assert run["parameters"]["file_id"] == 12
    assert set(run["tags"]) == {"file/12", "file.received", "provider/ZX1"}
    log, start = deliveries(database)
    assert (start.target, start.result) == ("queue probe/idle", {"flow_run": run["id"]})
    assert (log.target, log.failure) == ("log activity", None)


def test_the_worker_carries_the_run_out(
    database: Engine, api: PrefectApi, probe: str, folder: Path, until: Until
) -> None:
    event_id = raise_(database, received(12))
    Relay(database, api, rules(probe, folder)).deliver_pending()
    until(lambda: any(folder.iterdir()))
    [done] = folder.iterdir()
    start = next(delivery for delivery in deliveries(database) if delivery.rule == "start")
    assert done.name == f"12-{start.result['flow_run']}"
    assert start.event_id == event_id


def test_delivering_again_changes_nothing(
    relay: Relay, database: Engine, http: httpx2.Client
) -> None:
    event_id = raise_(database, received(12))
    assert relay.deliver_pending() == 1
    assert relay.deliver_pending() == 0
    assert len(runs(http, f"{event_id}:start")) == 1


def test_an_event_written_twice_acts_once(
    relay: Relay, database: Engine, http: httpx2.Client
) -> None:
    event_id = uuid4()
    for _ in range(2):
        raise_(database, received(12), event_id=event_id)
        relay.deliver_pending()
    assert len(runs(http, f"{event_id}:start")) == 1


@pytest.mark.parametrize("routed", [True, False])
def test_a_relay_that_died_before_it_wrote_down_the_run_makes_no_second(
    relay: Relay, database: Engine, http: httpx2.Client, routed: bool
) -> None:
    event_id = raise_(database, received(12))
    relay.deliver_pending()
    with database.begin() as connection:  # as if the transaction had not been committed
        if routed:
            waits = {"delivered_at": None, "result": None, "attempts": 0}
            start = event_deliveries.c.rule == "start"
            connection.execute(event_deliveries.update().where(start).values(waits))
            connection.execute(events.update().values(delivered_at=None))
        else:
            connection.execute(event_deliveries.delete())
            connection.execute(events.update().values(routed_at=None, delivered_at=None))
    assert relay.deliver_pending() == 1
    [run] = runs(http, f"{event_id}:start")
    assert deliveries(database)[1].result == {"flow_run": run["id"]}


def test_while_the_server_is_away_what_needs_none_is_done_and_the_rest_waits(
    database: Engine, folder: Path, probe: str, api: PrefectApi, no_such_server: PrefectApi
) -> None:
    first, second = raise_(database, received(12)), raise_(database, received(13))
    chosen = rules("probe/idle", folder)
    with pytest.raises(ServerAwayError):
        Relay(database, no_such_server, chosen).deliver_pending()
    done = [found.rule for found in deliveries(database) if found.delivered_at]
    assert done == ["log", "log"]
    assert Relay(database, api, chosen).deliver_pending() == 2
    started = [found.event_id for found in deliveries(database) if found.rule == "start"]
    assert set(started) == {first, second}
    with database.connect() as connection:
        assert len(list(connection.execute(select(log_posts)))) == 2


def test_a_server_that_comes_back_gets_what_waited(
    services: Services, relay: Relay, database: Engine, http: httpx2.Client
) -> None:
    services.halt("prefect-server")
    try:
        event_id = raise_(database, received(12))
        with pytest.raises(ServerAwayError):
            relay.deliver_pending()
    finally:
        services.resume("prefect-server")
    assert relay.deliver_pending() == 1
    assert len(runs(http, f"{event_id}:start")) == 1


def test_a_deployment_that_is_not_there_yet_is_waited_for(
    database: Engine, api: PrefectApi, folder: Path, probe: str
) -> None:
    raise_(database, received(12))
    with pytest.raises(ServerAwayError, match=r"probe/later is not registered.*grouper deploy"):
        Relay(database, api, rules("probe/later", folder)).deliver_pending()
    assert Relay(database, api, rules("probe/idle", folder)).deliver_pending() == 1


def failures(database: Engine) -> list[Failure]:
    with database.connect() as connection:
        return list_failures(connection, EVERYTHING, tuple(FailureState))


def send_event_again(connection: Connection, failure: Failure) -> None:
    """As `grouper events` does, without a look at the error queue."""
    found = find_events(connection, EVERYTHING, EventSearch(), [UUID(failure.payload["event_id"])])
    assert resend(connection, found) == 1


@pytest.mark.parametrize("again", [lambda c, it: retry(c, it.reference), send_event_again])
def test_what_is_refused_again_and_again_waits_in_the_error_queue(
    database: Engine,
    api: PrefectApi,
    folder: Path,
    probe: str,
    again: Callable[[Connection, Failure], object],
) -> None:
    raise_(database, received(12))
    wrong = Relay(database, api, rules("probe/idle", folder, file_id="twelve"))
    for _ in range(REFUSED_ATTEMPTS - 1):
        with pytest.raises(ServerAwayError):
            wrong.deliver_pending()
    assert wrong.deliver_pending() == 2  # and the event that tells of the failure
    start = next(found for found in deliveries(database) if found.rule == "start")
    assert (start.attempts, start.delivered_at) == (REFUSED_ATTEMPTS, None)
    assert "twelve" in start.failure
    [failure] = failures(database)
    assert (failure.kind, failure.subject) == ("event delivery", "file/12")
    assert (failure.state, failure.attempts) == ("waiting", REFUSED_ATTEMPTS)
    assert "start" in failure.reason
    assert "twelve" in str(failure.detail)

    with database.begin() as connection:  # the rules were mended meanwhile
        again(connection, failure)
    assert Relay(database, api, rules("probe/idle", folder)).deliver_pending() == 1
    assert [failure.state for failure in failures(database)] == ["resolved"]
    start = next(found for found in deliveries(database) if found.rule == "start")
    assert start.result["flow_run"]
    with database.connect() as connection:
        assert len(list(connection.execute(select(log_posts)))) == 2


def test_a_delivery_that_is_refused_anew_waits_under_the_same_reference(
    database: Engine, api: PrefectApi, folder: Path, probe: str
) -> None:
    raise_(database, received(12))
    wrong = Relay(database, api, rules("probe/idle", folder, file_id="twelve"))
    references = set()
    for _ in range(2):
        for _ in range(REFUSED_ATTEMPTS - 1):
            with pytest.raises(ServerAwayError):
                wrong.deliver_pending()
        wrong.deliver_pending()
        [failure] = failures(database)
        assert failure.state == "waiting"
        references.add(failure.reference)
        with database.begin() as connection:
            retry(connection, failure.reference)
    assert failure.attempts == 2 * REFUSED_ATTEMPTS
    assert references == {failure.reference}


def test_a_telling_of_a_failure_that_fails_is_not_told_of(
    database: Engine, api: PrefectApi
) -> None:
    told = RunFailed(failed_subject="file/13", failed_title="ZX1", attempts=1, reason="broken")
    raise_(database, told)
    on_failures = {"name": "note", "on": "run.failed", "target": {"function": "always fails"}}
    REACTIONS["always fails"] = lambda connection, _id, _event: connection.execute(text("nonsense"))
    try:
        relay = Relay(database, api, Rules.model_validate({"rules": [on_failures]}))
        for _ in range(REFUSED_ATTEMPTS - 1):
            with pytest.raises(ServerAwayError):
                relay.deliver_pending()
        assert relay.deliver_pending() == 1
        assert relay.deliver_pending() == 0
    finally:
        del REACTIONS["always fails"]
    assert [failure.kind for failure in failures(database)] == ["event delivery"]


def ready(number: int) -> FileReady:
    about = received(number).model_dump()
    return FileReady(records=1, **about)


def test_a_reaction_acts_once_and_a_failed_one_leaves_nothing(
    relay: Relay, database: Engine, note: list[str]
) -> None:
    raise_(database, ready(13))
    with pytest.raises(ServerAwayError, match="the first time it fails"):
        relay.deliver_pending()
    assert relay.deliver_pending() == 1
    assert relay.deliver_pending() == 0
    assert note == ["file/13", "file/13"]
    with database.connect() as connection:
        assert len(list(connection.execute(select(audit)))) == 1


def test_an_event_that_cannot_be_read_does_not_hold_up_the_others(
    relay: Relay, database: Engine
) -> None:
    old = {"event_id": uuid4(), "name": "file.eaten", "subject": "file/1", "payload": {}}
    with database.begin() as connection:
        connection.execute(insert(events).values(old))
    raise_(database, received(12))
    assert relay.deliver_pending() == 2  # and the event that tells of the failure
    [failure] = failures(database)
    assert (failure.subject, failure.payload["name"]) == ("file/1", "file.eaten")
    assert "cannot be read" in failure.reason


def test_operators_see_the_event_on_prefects_feed(
    relay: Relay, database: Engine, http: httpx2.Client, until: Until
) -> None:
    event_id = raise_(database, received(12))
    relay.deliver_pending()
    wanted = {"filter": {"id": {"id": [str(event_id)]}}}

    def shown() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = http.post("/events/filter", json=wanted).json()["events"]
        return found

    until(lambda: bool(shown()))
    [event] = shown()
    assert event["event"] == "grouper.file.received"
    assert event["resource"]["prefect.resource.name"] == "file 12 of ZX1 2017-04"
    assert "april.csv" not in str(event)


def test_two_relays_at_once_deliver_each_event_once(
    relay: Relay, database: Engine, http: httpx2.Client
) -> None:
    event_id = raise_(database, received(12))
    with database.connect() as other:
        other.execute(text("SELECT id FROM events FOR UPDATE"))
        assert relay.deliver_pending() == 0  # the other one has it
    assert relay.deliver_pending() == 1
    assert len(runs(http, f"{event_id}:start")) == 1
