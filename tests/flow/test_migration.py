"""A migration as a person starts it: command, event, queue, flow, report and sign-off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from core.access.scope import EVERYTHING
from core.engine.samples.activity import SPECIFICATION
from core.events.failures import discard, list_failures
from core.operations.dataset_import import import_dataset
from core.settings import Settings, settings, use_settings
from core.support.processes import free_port
from deployments.prefect_login import prefect_client
from deployments.supervisor import Services
from tests.legacy_server import HEADER, PASSWORD, USER
from tests.legacy_source import OldService, old_service

if TYPE_CHECKING:
    from sqlalchemy import Engine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
"""Services of their own and seven runs of flows take minutes; tests/service has the same work."""


@pytest.fixture(scope="module")
def old() -> Iterator[OldService]:
    options = ("--providers", "1", "--months", "2", "--records", "80", "--troubles", "0.05")
    with old_service(*options) as running:
        yield running


@pytest.fixture(scope="module")
def installed(open_folder: Path, old: OldService) -> Iterator[Services]:
    """Services of their own: what is taken over would be in the way of other tests."""
    before = settings()
    wanted = Settings(
        home=open_folder / "migrating",
        prefect_port=free_port(),
        portal_port=free_port(),
        legacy_url=old.url,
        legacy_user=USER,
        legacy_password=SecretStr(PASSWORD),
        legacy_header=SecretStr(": ".join(HEADER)),
        legacy_page=100,
        legacy_timeout=2,
        legacy_pause=0.05,
    )
    with Services(wanted) as running:
        use_settings(wanted)
        yield running
        use_settings(before)


@pytest.fixture(scope="module")
def engine(installed: Services) -> Iterator[Engine]:
    from core.database.engine import engine as engine_of

    made = engine_of(installed.database_url)
    with made.begin() as connection:
        import_dataset(connection, SPECIFICATION.read_text(), name="data set")
    yield made
    made.dispose()


def grouper(services: Services, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = services.settings.environment()
    environment.pop("GROUPER_DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "migrate", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={**os.environ, **environment},
    )


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_dry_run_says_what_it_would_do(installed: Services, engine: Engine) -> None:
    done = grouper(installed, "run", "--dry-run")
    assert "a dry run: nothing was written" in done.stdout
    assert "rows, money and content agree with the old service" in done.stdout
    assert done.returncode == 1, "some rows would go to the error queue"
    with engine.connect() as connection:
        count = connection.execute(sa.text("SELECT count(*) FROM legacy_rows")).scalar_one()
    assert count == 0


def test_everything_is_taken_over_and_signed(
    installed: Services, engine: Engine, old: OldService, tmp_path: Path
) -> None:
    done = grouper(installed, "run", "--json")
    found = document(done)
    assert (done.returncode, found["state"]) == (1, "complete with errors")
    assert found["summary"]["disagreeing"] == []
    assert {table["state"] for table in found["tables"]} == {"complete", "complete with errors"}
    assert found["summary"]["failed"] == len(old.bad)
    with engine.connect() as connection:
        waiting = {
            (each.payload["table"], each.payload["row"])
            for each in list_failures(connection, EVERYTHING)
            if each.kind == "legacy row"
        }
    assert waiting == set(old.bad)
    report = tmp_path / "report.xlsx"
    verified = grouper(installed, "verify", "--out", str(report))
    assert "rows, money and content agree" in verified.stdout
    assert "Rows in error" in openpyxl.load_workbook(report, read_only=True).sheetnames
    signed = grouper(installed, "sign-off", str(found["id"]), "--note", "looked at")
    assert signed.returncode == 0, signed.stderr
    assert "signed by" in grouper(installed, "status").stdout
    assert "signed already" in grouper(installed, "sign-off", str(found["id"])).stderr


def test_it_is_a_run_on_its_queue_that_logs_no_secret(installed: Services, engine: Engine) -> None:
    with engine.connect() as connection:
        query = "SELECT flow_run FROM migration_runs ORDER BY id DESC LIMIT 1"
        flow_run = connection.execute(sa.text(query)).scalar_one()
    with prefect_client(installed.settings) as http:
        run = http.get(f"/flow_runs/{flow_run}").json()
        assert (run["work_queue_name"], run["state_type"]) == ("migration", "COMPLETED")
        plan = http.get("/deployments/name/plan-migration/plan-migration").json()
        assert [each["schedule"]["cron"] for each in plan["schedules"]] == ["45 1 * * *"]
    for log in installed.settings.logs.rglob("*"):
        if log.is_file():
            text = log.read_text(errors="replace")
            assert PASSWORD not in text
            assert HEADER[1] not in text.split()


def test_credentials_that_are_refused_stop_it_with_a_clear_word(
    installed: Services, engine: Engine, old: OldService
) -> None:
    old.set(shut_after=10)
    done = grouper(installed, "run", "--json")
    stopped = document(done)
    assert (done.returncode, stopped["state"]) == (1, "failed")
    assert "renew them" in stopped["failure"]
    old.set(shut_after=None)
    again = document(grouper(installed, "run", "--json"))
    assert (again["id"], again["state"]) == (stopped["id"], "complete with errors")
    with engine.begin() as connection:
        for failure in list_failures(connection, EVERYTHING):
            discard(connection, failure.reference)
    assert document(grouper(installed, "run", "--json"))["summary"]["new"] == 0
