"""A small migration as a flow of Prefect, from the old service over HTTP to figures that are
measured; into a database of its own, for others count what is in theirs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from core.access.scope import EVERYTHING
from core.database.engine import with_driver
from core.database.roles import open_roles
from core.engine.samples.activity import SPECIFICATION
from core.events.failures import list_failures
from core.kpis.results import results_of
from core.migration.progress import progress_of
from core.migration.runs import request_migration
from core.operations.dataset_import import import_dataset
from core.settings import PROJECT
from tests.conftest import fresh_database
from tests.legacy_server import HEADER, PASSWORD, USER
from tests.legacy_source import OldService, old_service

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.database.embedded import EmbeddedPostgres
    from deployments.supervisor import Services

FLOWS = """
import sys
from core.database.engine import engine
from flows.migrate import migrate
from flows.measure import measure
from sqlalchemy import text
print(migrate(int(sys.argv[1])))
with engine().connect() as connection:
    asked = "SELECT CAST(payload ->> 'run_id' AS integer) FROM events WHERE name = 'kpis.requested'"
    runs = connection.execute(text(asked)).scalars().all()
for run in runs:
    print(measure(run))
"""
"""What the workers carry out: the migration, then what it asks to be measured."""


@dataclass(frozen=True)
class Migrated:
    """What a migration left: its database, and what its process said."""

    engine: Engine
    run_id: int
    environment: dict[str, str]
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def old() -> Iterator[OldService]:
    options = ("--providers", "1", "--months", "1", "--records", "40", "--troubles", "0.05")
    with old_service(*options) as running:
        yield running


@pytest.fixture(scope="module")
def migrated(
    services: Services, postgres: EmbeddedPostgres, template: str, old: OldService
) -> Iterator[Migrated]:
    with fresh_database(postgres, "small_", template=template) as url:
        engine = sa.create_engine(with_driver(url))
        with engine.begin() as connection:
            import_dataset(connection, SPECIFICATION.read_text(), name="data set")
            run_id = request_migration(connection, user_id=None)
        open_roles(url, services.settings)
        environment = environment_of(services, old, url)
        yield Migrated(engine, run_id, environment, python(environment, "-c", FLOWS, str(run_id)))
        engine.dispose()


def environment_of(services: Services, old: OldService, url: str) -> dict[str, str]:
    """That of a process under the services' Prefect server, with the way to the old service."""
    endpoint = {
        "GROUPER_DATABASE_URL": url,
        "GROUPER_LEGACY_URL": old.url,
        "GROUPER_LEGACY_USER": USER,
        "GROUPER_LEGACY_PASSWORD": PASSWORD,
        "GROUPER_LEGACY_HEADER": ": ".join(HEADER),
        "GROUPER_LEGACY_TIMEOUT": "2",
        "GROUPER_LEGACY_PAUSE": "0.05",
    }
    return {**os.environ, **services.settings.environment(), **endpoint}


def python(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=PROJECT,
        env=environment,
    )


def test_every_row_is_here_or_in_the_error_queue(migrated: Migrated, old: OldService) -> None:
    assert migrated.done.returncode == 0, migrated.done.stderr
    with migrated.engine.connect() as connection:
        progress = progress_of(connection, EVERYTHING, migrated.run_id)
        waiting = [
            (each.payload["table"], each.payload["row"])
            for each in list_failures(connection, EVERYTHING)
        ]
    assert progress.state == "complete with errors"
    assert progress.summary is not None
    assert progress.summary["disagreeing"] == []
    assert sorted(waiting) == sorted(old.bad)
    assert progress.report_key is not None
    assert progress.done == len(progress.tables) == 27


def test_a_month_that_was_taken_over_is_measured_but_for_what_the_old_service_told(
    migrated: Migrated,
) -> None:
    with migrated.engine.connect() as connection:
        found = {each.kpi.kpi: each for each in results_of(connection, EVERYTHING, ["LZ00"])}
        run = connection.execute(sa.text("SELECT episodes, amount_pence FROM runs")).one()
    assert len(found) == 16
    assert {name for name, each in found.items() if each.taken_over} == {
        "hiv-test-uptake",
        "old-2-waits",
    }
    assert {each.failure for each in found.values()} == {None}
    cost = found["charge-per-episode"]
    assert cost.numerator is not None
    assert (cost.numerator * 100, cost.denominator) == (run.amount_pence, run.episodes)


def test_neither_secrets_nor_persons_are_told(migrated: Migrated) -> None:
    said = migrated.done.stdout + migrated.done.stderr
    assert "verifying" in said or "migrate" in said
    with migrated.engine.connect() as connection:
        told = connection.execute(sa.text("SELECT reason || ' ' || title FROM failures"))
        said += " ".join(told.scalars())
        events = connection.execute(sa.text("SELECT payload::text FROM events"))
        said += " ".join(events.scalars())
    wanted: list[Any] = [PASSWORD, "old.example", "Analyst 0", "77777777", "E010041"]
    assert [each for each in wanted if each in said] == []
    assert HEADER[1] not in said.split()


def test_a_pathway_is_shown_with_the_prices_of_a_day(migrated: Migrated) -> None:
    command = ("-m", "cli.main", "pathways", "show", "Pathway 3", "--on", "2018-01-01")
    shown = python(migrated.environment, *command)
    assert shown.returncode == 0, shown.stderr
    heading, first, uses, second, *_ = shown.stdout.splitlines()
    assert heading == "Pathway 3: 50 minutes, £24.00"
    assert first.split() == ["Step", "0", "10", "min", "£4.80"]
    assert uses.strip() == "1.5 piece Kit 3, £3.20"
    assert "(after Step 0)" in second
