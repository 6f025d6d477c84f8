"""What may happen in the middle of a round. Each strikes real processes and returns."""

from __future__ import annotations

import io
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from core.database import tables
from core.database.embedded import attach
from core.events.outbox import wake_relay
from core.files.store import open_store
from core.submissions.commands.requests import NotRunnable, request_run
from core.submissions.commands.store_upload import UploadDetails, store_upload
from deployments.prefect_login import prefect_client
from tests.fault.installation import until
from tests.fault.many import Round

FULL_OR_REFUSED_SECONDS = 20
DELIVERIES = 5

Fault = Callable[[Round], None]


def killing(*parts: str) -> Fault:
    return lambda round_: round_.scene.installation.kill(*parts)


def signal_database(round_: Round, number: signal.Signals) -> None:
    pid_file = round_.scene.installation.home / "postgres/data/postmaster.pid"
    os.kill(int(pid_file.read_text().split("\n")[0]), number)


def kill_database(round_: Round) -> None:
    signal_database(round_, signal.SIGKILL)


def refuse_database(round_: Round) -> None:
    """For twenty seconds nobody may connect, and who is connected is cut off."""
    home = round_.scene.installation.home
    rules = home / "postgres/data/pg_hba.conf"
    before = rules.read_text()
    with psycopg.connect(attach(home), autocommit=True) as connection:
        try:
            rules.write_text("host all all 0.0.0.0/0 reject\n" + before)
            signal_database(round_, signal.SIGHUP)
            until(lambda: not _lets_in(attach(home)), seconds=20)
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE usename = current_user AND pid <> pg_backend_pid()"
            )
            refused_until = time.monotonic() + FULL_OR_REFUSED_SECONDS
            while time.monotonic() < refused_until:
                assert not _lets_in(attach(home))
                time.sleep(0.5)
        finally:
            rules.write_text(before)
            signal_database(round_, signal.SIGHUP)


def _lets_in(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def fill_the_store(round_: Round) -> None:
    """For twenty seconds after the first report met it, the disk of the file store is full."""
    scene = round_.scene
    if not scene.disk.ours:
        pytest.skip("neither may a disk be mounted here, nor is there a small shared memory")
    scene.disk.fill()
    try:
        _refuses_an_upload(round_)
        until(lambda: _tasks(round_, "write report", "AwaitingRetry"))
        time.sleep(FULL_OR_REFUSED_SECONDS)
    finally:
        scene.disk.free_space()


def _refuses_an_upload(round_: Round) -> None:
    """Nothing is left of what did not find room."""
    scene, store = round_.scene, open_store()
    before = list(store.list())
    arrival, stream = UploadDetails("more.csv"), io.BytesIO(b"x" * 100_000)
    with pytest.raises(OSError, match="No space left"):
        store_upload(scene.engine, store, scene.submissions[0], arrival, stream, user_id=None)
    assert list(store.list()) == before
    assert not list(scene.disk.folder.rglob(".part-*"))


def _tasks(round_: Round, name: str, state: str) -> list[Any]:
    found = {"task_runs": {"name": {"like_": name}, "state": {"name": {"any_": [state]}}}}
    return list(_ask(round_, "POST", "/task_runs/filter", found))


def stop_worker(round_: Round) -> None:
    """An ordinary restart of the worker."""
    round_.scene.installation.signal(signal.SIGTERM, "prefect_program worker")


def server_with_nothing_but_its_database(round_: Round) -> None:
    installation = round_.scene.installation
    shutil.rmtree(installation.home / "prefect", ignore_errors=True)
    installation.kill("prefect_server")


def stuck_in_pending(round_: Round) -> None:
    """What a worker leaves that dies between claiming a run and starting it: Prefect would never
    hand it out again, and it holds its place in the queue."""
    stuck: list[Any] = []

    def claim() -> int:
        waiting = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}},
                                 "name": {"like_": "draft of"}}}  # fmt: skip
        for run in _ask(round_, "POST", "/flow_runs/filter", waiting):
            body = {"state": {"type": "PENDING"}}
            said = _ask(round_, "POST", f"/flow_runs/{run['id']}/set_state", body)
            stuck.extend([run] if said["status"] == "ACCEPT" else [])
        return len(stuck)

    until(claim)
    round_.scene.installation.signal(signal.SIGKILL, "prefect_program worker")


def deliver_again(round_: Round) -> None:
    """The relay finds every event of the round new, five times over, as if what it had done were
    lost in the moment before it was noted."""
    events, deliveries = tables.events, tables.event_deliveries
    ours = events.c.id > round_.begins_after
    for _ in range(DELIVERIES):
        with round_.scene.engine.begin() as connection:
            new = {"routed_at": None, "delivered_at": None, "shown_at": None}
            found = connection.execute(
                events.update().where(ours).values(new).returning(events.c.event_id)
            )
            numbers = list(found.scalars())
            connection.execute(deliveries.delete().where(deliveries.c.event_id.in_(numbers)))
            wake_relay(connection, numbers[0])
        asked = events.c.event_id.in_(numbers) & (events.c.name != "submission.requested")
        until(lambda: not round_.scene.count(events, asked & events.c.delivered_at.is_(None)))  # noqa: B023


def two_press_submit(round_: Round) -> None:
    """For each month that was not asked for yet, two people press the button at once."""
    for submission in round_.asked_later:
        at_once = threading.Barrier(2)

        def press(person: int, month: int = submission, start: Any = at_once) -> bool:
            with round_.scene.engine.begin() as connection:
                connection.execute(sa.select(1))
                start.wait(30)
                try:
                    request_run(connection, month, "draft", user_id=person)
                except NotRunnable:
                    return False
                return True

        with ThreadPoolExecutor(2) as pool:
            team = round_.scene.team_of(submission)
            assert sorted(pool.map(press, team)) == [False, True]


def several_workers_race(round_: Round) -> None:
    """A second worker comes, and every run at work is started a second and a third time."""
    round_.scene.installation.start_worker("racing")
    deployment = _ask(round_, "GET", "/deployments/name/submit/submit")["id"]
    for run in round_.runs("running")[:4]:
        for _ in range(2):
            body = {
                "parameters": {"submission_id": run.submission_id, "run_id": run.id},
                "state": {"type": "SCHEDULED"},
            }
            _ask(round_, "POST", f"/deployments/{deployment}/create_flow_run", body)


def _ask(round_: Round, method: str, path: str, body: Any = None) -> Any:
    with prefect_client(round_.scene.installation.settings) as http:
        answer = http.request(method, path, json=body)
    answer.raise_for_status()
    return answer.json()


FAULTS: dict[str, Fault] = {
    "worker killed": killing("prefect_program worker"),
    "flow processes killed": killing("prefect.engine", "flow_run"),
    "worker and flows killed": killing("prefect_program worker", "prefect.engine", "flow_run"),
    "Prefect server killed": killing("prefect_server"),
    "database killed": kill_database,
    "relay killed": killing("relay_process"),
    "sender killed": killing("sender_process"),
    "portal killed": killing("portal.serve"),
    "database refused for 20 seconds": refuse_database,
    "disk of the file store full": fill_the_store,
    "server restarted from its database alone": server_with_nothing_but_its_database,
    "worker stopped as on any day": stop_worker,
    "a run stuck in Pending": stuck_in_pending,
    "every event delivered five times": deliver_again,
    "two people press submit at once": two_press_submit,
    "several workers race for a month": several_workers_race,
}
