"""Two hundred thousand rows with every trouble; ten kills: the same database as of a migration left
in peace; then a migration without changes, and one with changes and a password that expires."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from core.access.scope import EVERYTHING
from core.database import tables
from core.database.engine import with_driver
from core.engine.samples.activity import SPECIFICATION
from core.migration.progress import progress_of
from core.migration.runs import begin_migration, request_migration, resume
from core.operations.dataset_import import import_dataset
from core.settings import PROJECT
from core.support.processes import start_child
from tests.conftest import fresh_database
from tests.legacy_server import HEADER, PASSWORD, USER
from tests.legacy_source import OldService, old_service

if TYPE_CHECKING:
    from core.database.embedded import EmbeddedPostgres
    from deployments.supervisor import Services

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

KILLS = 10
PATIENCE, SLOW = 5, 6
"""Seconds that an answer is waited for, and that a slow one takes."""
SHIFTS = [["records", 3], ["records", 9], ["charges", 2], ["charges", 7]]
"""Pages after which, while they are read, a row of them is deleted: the rest move up."""
MIGRATE = "import sys; from flows.migrate import migrate; print(migrate(int(sys.argv[1])))"
NUMBER_FREE = {
    "legacy_rows": "SELECT legacy_table, legacy_id, checksum, imported, problems FROM legacy_rows "
    "WHERE gone_at IS NULL",
    "organisations": "SELECT o.kind, o.code, o.name, o.address, p.code FROM organisations o "
    "LEFT JOIN organisations p ON p.id = o.part_of_id",
    "clinics": "SELECT o.code, c.clinic_id, c.name, c.commissioner FROM clinics c "
    "JOIN organisations o ON o.id = c.provider_id",
    "users": "SELECT subject, name, email, active FROM users",
    "subscriptions": "SELECT u.subject, s.kind, s.state, s.first_day, s.price, i.number, i.total, "
    "i.paid_on FROM subscriptions s JOIN users u ON u.id = s.user_id "
    "LEFT JOIN invoices i ON i.subscription_id = s.id",
    "payments": "SELECT i.number, p.paid_on, p.amount FROM payments p "
    "JOIN invoices i ON i.id = p.invoice_id",
    "configurations": "SELECT configuration, status, body FROM configurations",
    "months": "SELECT o.code, s.month, s.state, r.number, r.state, r.records, r.episodes, "
    "r.charges, r.amount_pence FROM submissions s JOIN organisations o ON o.id = s.provider_id "
    "LEFT JOIN runs r ON r.submission_id = s.id",
    "files": "SELECT storage_key, state, records FROM files",
    "records": "SELECT f.storage_key, to_jsonb(r) - 'file_id' FROM records_sexual_health r "
    "JOIN files f ON f.id = r.file_id",
    "charges": "SELECT s.month, o.code, to_jsonb(c) - 'run_id' FROM charges c "
    "JOIN submissions s USING (run_id) JOIN organisations o ON o.id = s.provider_id",
    "differences": "SELECT o.code, s.month, d.cause, d.charges, d.legacy_pence, d.here_pence "
    "FROM migration_differences d JOIN submissions s ON s.id = d.submission_id "
    "JOIN organisations o ON o.id = s.provider_id",
    "indicators": "SELECT kpi, version, state, body FROM kpis",
    "figures": "SELECT o.code, s.month, k.kpi, f.numerator, f.denominator, f.taken_over "
    "FROM kpi_results f JOIN kpis k ON k.id = f.kpi_id JOIN submissions s USING (run_id) "
    "JOIN organisations o ON o.id = s.provider_id",
    "pathways": "SELECT w.name, t.name, a.name, t.minutes, u.quantity, c.name, c.unit "
    "FROM pathways w LEFT JOIN pathway_steps t ON t.pathway_id = w.id "
    "LEFT JOIN pathway_steps a ON a.id = t.after_id "
    "LEFT JOIN step_consumables u ON u.step_id = t.id "
    "LEFT JOIN consumables c ON c.id = u.consumable_id",
    "prices": "SELECT c.name, p.version, p.price, p.starts_on, p.ends_on "
    "FROM consumable_prices p JOIN consumables c ON c.id = p.consumable_id",
    "events": "SELECT name, payload - 'run_id' - 'submission_id' - 'kpi_id' FROM events "
    "WHERE name <> 'migration.requested'",
    "failures": "SELECT work, reason, state, attempts FROM failures WHERE kind = 'legacy row'",
}
"""Every row without the numbers that sequences give, which a kill leaves gaps in."""


@pytest.fixture(scope="module")
def old() -> Iterator[OldService]:
    with old_service("--providers", "12", "--months", "9", "--records", "740") as running:
        assert sum(running.report()["counts"].values()) >= 200_000
        yield running


@pytest.fixture(scope="module")
def two(postgres: EmbeddedPostgres, template: str) -> Iterator[tuple[str, str]]:
    """The URLs of two databases: one left in peace, one of which the migration is killed."""
    with (
        fresh_database(postgres, "peaceful_", template=template) as one,
        fresh_database(postgres, "killed_", template=template) as other,
    ):
        yield one, other


def planned(url: str) -> tuple[Engine, int]:
    """A migration that no relay starts: the test does."""
    engine = sa.create_engine(with_driver(url))
    with engine.begin() as connection:
        import_dataset(connection, SPECIFICATION.read_text(), name="data set")
        run_id = request_migration(connection, user_id=None)
        begin_migration(connection, run_id, flow_run=None)
    return engine, run_id


def start(services: Services, old: OldService, url: str, run_id: int) -> subprocess.Popen[bytes]:
    """The flow in a process of its own, under the services' Prefect server."""
    endpoint = {
        "GROUPER_DATABASE_URL": url,
        "GROUPER_LEGACY_URL": old.url,
        "GROUPER_LEGACY_USER": USER,
        "GROUPER_LEGACY_PASSWORD": PASSWORD,
        "GROUPER_LEGACY_HEADER": ": ".join(HEADER),
        "GROUPER_LEGACY_TIMEOUT": str(PATIENCE),
    }
    return start_child(
        [sys.executable, "-c", MIGRATE, str(run_id)],
        death_signal=signal.SIGKILL,
        cwd=PROJECT,
        env={**os.environ, **services.settings.environment(), **endpoint},
    )


def digest(engine: Engine) -> dict[str, Any]:
    """Of each table how many rows, and a checksum of them all."""
    with engine.connect() as connection:
        return {
            name: tuple(
                connection.execute(
                    sa.text(
                        "SELECT count(*), md5(string_agg(md5(q::text), '' ORDER BY md5(q::text))) "
                        f"FROM ({query}) q"
                    )
                ).one()
            )
            for name, query in NUMBER_FREE.items()
        }


def state(engine: Engine, run_id: int) -> str:
    with engine.connect() as connection:
        return progress_of(connection, EVERYTHING, run_id).state


def pages(engine: Engine) -> int:
    """How far it is: pages kept and tables ended."""
    with engine.connect() as connection:
        read = sa.select(sa.func.count()).select_from(tables.migration_pages)
        changed = sa.select(sa.func.count()).where(tables.audit.c.subject.like("migration table%"))
        return sum(int(connection.execute(query).scalar_one()) for query in (read, changed))


def test_ten_kills_change_nothing(
    services: Services, two: tuple[str, str], old: OldService
) -> None:
    old.set(shifts=SHIFTS)
    peaceful, run_id = planned(two[0])
    began = time.monotonic()
    assert start(services, old, two[0], run_id).wait(600) == 0
    seconds = time.monotonic() - began
    print(f"{sum(old.report()['counts'].values()):,} rows took {seconds:.1f} s")
    wanted = digest(peaceful)
    with peaceful.connect() as connection:
        summary = progress_of(connection, EVERYTHING, run_id).summary
    assert summary is not None
    assert summary["disagreeing"] == []
    assert in_error(peaceful) == set(old.bad)
    assert summary["failed"] == len(old.bad) == wanted["failures"][0]
    assert deleted_rows(peaceful) == {"records": 2, "charges": 2}

    # 500s, resets, halves of answers, and some that come too late
    old.set(troubles=0.03, slow=SLOW, now="2018-07-02T00:00:00Z")
    killed, run_id = planned(two[1])
    dice, kills = random.Random(5), 0
    share = pages(peaceful) // (KILLS + 1)
    while kills < KILLS:
        process = start(services, old, two[1], run_id)
        target = pages(killed) + dice.randint(1, share)
        deadline = time.monotonic() + 300
        while process.poll() is None and pages(killed) < target:
            assert time.monotonic() < deadline, "the migration does not go on"
            time.sleep(0.02)
        if process.poll() is not None:
            break
        time.sleep(dice.random())  # into the middle of whatever it does
        process.kill()
        process.wait()
        kills += 1
    assert kills >= KILLS // 2
    if state(killed, run_id) == "running":
        assert start(services, old, two[1], run_id).wait(600) == 0
    assert digest(killed) == wanted
    killed.dispose()
    nothing_is_read_or_written(services, old, two[0], peaceful)
    changes_are_followed(services, old, two[0], peaceful)
    peaceful.dispose()
    assert seconds < 120


def in_error(engine: Engine) -> set[tuple[str, int]]:
    """The rows that the error queue has."""
    rows = tables.legacy_rows.c
    query = sa.select(rows.legacy_table, rows.legacy_id).where(
        rows.problems.is_not(None), rows.gone_at.is_(None)
    )
    with engine.connect() as connection:
        return set(connection.execute(query).tuples().all())


def deleted_rows(engine: Engine) -> dict[str, int]:
    """The number of deleted rows of each table."""
    rows = tables.legacy_rows.c
    query = sa.select(rows.legacy_table, sa.func.count()).where(rows.gone_at.is_not(None))
    with engine.connect() as connection:
        return dict(connection.execute(query.group_by(rows.legacy_table)).tuples().all())


def next_run(engine: Engine) -> int:
    with engine.begin() as connection:
        run_id = request_migration(connection, user_id=None)
        begin_migration(connection, run_id, flow_run=None)
    return run_id


def nothing_is_read_or_written(
    services: Services, old: OldService, url: str, engine: Engine
) -> None:
    """A second migration without changes."""
    before = {name: found for name, found in digest(engine).items() if name != "events"}
    old.forget()
    began = time.monotonic()
    assert start(services, old, url, next_run(engine)).wait(600) == 0
    print(f"without changes it took {time.monotonic() - began:.1f} s")
    assert sum(each["rows"] for each in old.report()["log"] if each["outcome"] == "200") == 0
    assert {name: digest(engine)[name] for name in before} == before


def changes_are_followed(services: Services, old: OldService, url: str, engine: Engine) -> None:
    """Rows changed and deleted since, and a password that expires half-way."""
    old.set(now="2018-08-01T00:00:00Z")
    old.change(
        ("users", 2, {"name": "Renamed"}),
        ("charges", 5000, {"amount": "0.01"}),
        ("records", 6000, None),
        ("pathways", 2, None),
    )
    old.forget()
    old.set(shut_after=40)
    run_id = next_run(engine)
    assert start(services, old, url, run_id).wait(600) != 0
    assert state(engine, run_id) == "failed"
    old.set(shut_after=None)
    with engine.begin() as connection:
        resume(connection, run_id, user_id=None, reason="renewed")
    assert start(services, old, url, run_id).wait(600) == 0
    with engine.connect() as connection:
        summary = progress_of(connection, EVERYTHING, run_id).summary
    assert summary is not None
    assert summary["disagreeing"] == []
    assert (summary["changed"], summary["gone"]) == (2, 2)
    assert summary["failed"] == len(old.bad) + 10  # steps of the pathway, and what they use up
