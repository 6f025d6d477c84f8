"""Twenty submissions by ten providers, with a fault in the middle: nothing lost, nothing twice."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import sqlalchemy as sa
import yaml
from sqlalchemy import Connection, Engine

from core.database import tables
from core.database.embedded import attach
from core.files.store import open_store
from core.samples.activity import make_activity, sample_clinics
from core.samples.writing import write_activity
from core.settings import PROJECT, use_settings
from core.submissions.months import open_submission
from core.submissions.requests import request_run
from core.submissions.uploads import Upload, receive_file
from core.tariffs.importing import import_configuration, import_dataset
from tests.fault.installation import Installation, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

PROVIDERS = tuple(f"ZX{number}" for number in range(1, 11))
MONTHS = (dt.date(2017, 4, 1), dt.date(2017, 5, 1))
ROWS = 2_000
IN_LIMBO_AT_MOST = 120  # seconds, beyond what the work itself takes
DATASET = PROJECT / "core/datasets/library/sexual-health.yaml"
CONFIGURATION = PROJECT / "core/tariffs/library/illustrative-isht-2017-18.yaml"

Outcome = dict[int, tuple[int, str]]
"""For each submission: how many charges, and a digest of all of them."""


@pytest.fixture(scope="module")
def installation(open_folder: Path) -> Iterator[Installation]:
    made = Installation(open_folder / "many")
    use_settings(made.settings)
    made.up()
    yield made
    made.stop()
    use_settings(None)


@pytest.fixture(scope="module")
def submissions(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """Twenty months whose files are ready."""
    engine = installation.engine()
    with engine.begin() as connection:
        import_dataset(connection, DATASET.read_text(), name=DATASET.name)
        tariff = yaml.safe_load(CONFIGURATION.read_text())
        tariff["providers"] = {provider: {} for provider in PROVIDERS}
        tariff["start"], tariff["end"] = str(tariff["start"]), str(tariff["end"])
        import_configuration(connection, yaml.safe_dump(tariff), name="ten providers")
        providers = [_provider(connection, code) for code in PROVIDERS]
    folder = tmp_path_factory.mktemp("activity")
    begun = [
        _upload(engine, folder, code, provider, month)
        for code, provider in zip(PROVIDERS, providers, strict=True)
        for month in MONTHS
    ]
    files = tables.files
    until(lambda: _count(engine, files, files.c.state == "ready") == len(begun), seconds=400)
    return begun


def _provider(connection: Connection, code: str) -> int:
    organisations = tables.organisations
    provider = connection.execute(
        organisations.insert()
        .values(kind="provider", code=code, name=f"Provider {code}")
        .returning(organisations.c.id)
    ).scalar_one()
    connection.execute(
        tables.clinics.insert().values(
            [
                {"provider_id": provider, "clinic_id": clinic, "name": name, "commissioner": host}
                for clinic, name, host in sample_clinics(code)
            ]
        )
    )
    return int(provider)


def _upload(engine: Engine, folder: Path, code: str, provider: int, month: dt.date) -> int:
    path = folder / f"{code} {month:%Y-%m}.csv"
    write_activity(make_activity(ROWS, code, month, seed=provider), path)
    with engine.begin() as connection, path.open("rb") as stream:
        submission = open_submission(connection, provider, month)
        key = f"uploads/{path.name}"
        stored = open_store().put(key, stream)
        receive_file(
            connection,
            submission,
            Upload(path.name, key, stored.size, stored.sha256),
            user_id=None,
        )
    return submission


def _count(engine: Engine, table: sa.Table, chosen: Any) -> int:
    with engine.connect() as connection:
        query = sa.select(sa.func.count()).select_from(table).where(chosen)
        return int(connection.execute(query).scalar_one())


def run_all(
    installation: Installation, submissions: list[int], fault: Callable[[], None] | None
) -> tuple[Outcome, float]:
    """Asks for a draft of every month at once; the charges in the end, and how long it took."""
    engine, runs = installation.engine(), tables.runs
    asked = []
    with engine.begin() as connection:
        asked = [request_run(connection, each, "draft", user_id=None) for each in submissions]
    started = time.monotonic()

    def published() -> int:
        return _count(
            installation.engine(), runs, runs.c.id.in_(asked) & (runs.c.state == "published")
        )

    if fault is not None:
        until(lambda: published() >= 3, seconds=200)
        assert published() < len(submissions), "the fault would come after everything was done"
        fault()
    until(lambda: published() == len(submissions), seconds=500)
    return outcome(installation, asked), time.monotonic() - started


def outcome(installation: Installation, runs: list[int]) -> Outcome:
    text = sa.text("""
        SELECT r.submission_id, count(*), md5(string_agg(line, '|' ORDER BY line))
        FROM runs r JOIN LATERAL (
            SELECT concat_ws(',', clinic_id, patient_id, attendance_date, currency, rate_type,
                             rate_pence, factor, amount_pence, commissioner, basis) AS line
            FROM charges WHERE run_id = r.id) c ON true
        WHERE r.id = ANY(:runs) GROUP BY 1""")
    with installation.engine().connect() as connection:
        rows = connection.execute(text, {"runs": runs})
        return {submission: (count, digest) for submission, count, digest in rows}


@pytest.fixture(scope="module")
def undisturbed(installation: Installation, submissions: list[int]) -> tuple[Outcome, float]:
    return run_all(installation, submissions, None)


def killing(*parts: str) -> Callable[[Installation], None]:
    return lambda installation: installation.kill(*parts)


def kill_database(installation: Installation) -> None:
    pid_file = installation.home / "postgres/data/postmaster.pid"
    os.kill(int(pid_file.read_text().split("\n")[0]), signal.SIGKILL)


def refuse_database(installation: Installation) -> None:
    """For twenty seconds nobody may connect, and who is connected is cut off."""
    rules = installation.home / "postgres/data/pg_hba.conf"
    before = rules.read_text()
    with psycopg.connect(attach(installation.home), autocommit=True) as connection:
        rules.write_text("host all all 0.0.0.0/0 reject\n" + before)
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        refused_until = time.monotonic() + 20
        while time.monotonic() < refused_until:
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(attach(installation.home), connect_timeout=2)
            time.sleep(0.5)
        rules.write_text(before)
        connection.execute("SELECT pg_reload_conf()")


def stop_worker(installation: Installation) -> None:
    """An ordinary restart of the worker."""
    installation.signal(signal.SIGTERM, "prefect_program worker")


def server_with_nothing_but_its_database(installation: Installation) -> None:
    shutil.rmtree(installation.home / "prefect", ignore_errors=True)
    installation.kill("prefect server start")


def more_workers_for_the_same_runs(installation: Installation) -> None:
    """Every run that is asked for is started a second and a third time, straight at Prefect."""
    api = installation.settings.api_url
    deployment = httpx.get(f"{api}/deployments/name/submit/submit", timeout=30).json()["id"]
    with installation.engine().connect() as connection:
        runs = tables.runs
        rows = connection.execute(
            sa.select(runs.c.id, runs.c.submission_id).where(runs.c.state == "running")
        ).all()
    for run, submission in rows[:4]:
        body = {
            "parameters": {"submission_id": submission, "run_id": run},
            "state": {"type": "SCHEDULED"},
        }
        for _ in range(2):
            answer = httpx.post(
                f"{api}/deployments/{deployment}/create_flow_run", json=body, timeout=30
            )
            answer.raise_for_status()


FAULTS = {
    "worker killed": killing("prefect_program worker"),
    "flow processes killed": killing("prefect.engine", "flow_run"),
    "worker and flows killed": killing("prefect_program worker", "prefect.engine", "flow_run"),
    "Prefect server killed": killing("prefect server start"),
    "database killed": kill_database,
    "relay killed": killing("relay_process"),
    "portal killed": killing("portal.serve"),
    "database refused for 20 seconds": refuse_database,
    "worker stopped as on any day": stop_worker,
    "server restarted from its database alone": server_with_nothing_but_its_database,
    "runs started by several at once": more_workers_for_the_same_runs,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_it_ends_as_without_the_fault(
    fault: str,
    installation: Installation,
    submissions: list[int],
    undisturbed: tuple[Outcome, float],
) -> None:
    expected, usual = undisturbed
    found, seconds = run_all(installation, submissions, lambda: FAULTS[fault](installation))
    print(f"{fault}: {seconds:.0f} s, without it {usual:.0f} s")
    assert found == expected
    assert seconds < usual + IN_LIMBO_AT_MOST
    assert_nothing_is_in_limbo(installation)


def assert_nothing_is_in_limbo(installation: Installation) -> None:
    engine = installation.engine()
    submissions, files, events = tables.submissions, tables.files, tables.events
    assert _count(engine, submissions, submissions.c.state != "draft") == 0
    assert _count(engine, files, files.c.state != "ready") == 0
    until(lambda: _count(engine, events, events.c.delivered_at.is_(None)) == 0, seconds=60)
    drafted = _count(engine, events, events.c.name == "submission.drafted")
    published = _count(engine, tables.runs, tables.runs.c.state.in_(["published", "replaced"]))
    assert drafted == published  # each run was announced once
