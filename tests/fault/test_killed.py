"""Whatever is killed in the middle of a submission, it completes by itself, to the same charges."""

from __future__ import annotations

import datetime as dt
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from core.configurations.importing import import_configuration
from core.database import tables
from core.engine.samples.activity import make_activity, sample_clinics
from core.engine.samples.writing import write_activity
from core.files.store import open_store
from core.operations.dataset_import import import_dataset
from core.settings import PROJECT, use_settings
from core.submissions.commands.requests import request_run
from core.submissions.commands.uploads import Upload, receive_file
from core.submissions.months import open_submission
from tests.fault.installation import Installation, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROWS = 200_000
MONTH = dt.date(2017, 4, 1)
DATASET = PROJECT / "core/engine/dataset/library/sexual-health.yaml"
CONFIGURATION = PROJECT / "core/engine/tariff/library/illustrative-isht-2017-18.yaml"
Charge = tuple[Any, ...]


@pytest.fixture(scope="module")
def installation(open_folder: Path) -> Iterator[Installation]:
    made = Installation(open_folder / "killed")
    use_settings(made.settings)
    made.up()
    prepare(made.engine())
    yield made
    made.stop()
    use_settings(None)


def prepare(engine: Engine) -> None:
    with engine.begin() as connection:
        import_dataset(connection, DATASET.read_text(), name=DATASET.name)
        import_configuration(connection, CONFIGURATION.read_text(), name=CONFIGURATION.name)
        organisations = tables.organisations.insert().returning(tables.organisations.c.id)
        provider = connection.execute(
            organisations.values(kind="provider", code="ZX1", name="Lea Valley")
        ).scalar_one()
        clinics = [
            {"provider_id": provider, "clinic_id": clinic, "name": name, "commissioner": host}
            for clinic, name, host in sample_clinics("ZX1")
        ]
        connection.execute(tables.clinics.insert().values(clinics))


def upload(installation: Installation, folder: Path) -> tuple[int, int]:
    """Puts a file into the month; gives submission and file."""
    path = folder / "april.csv"
    write_activity(make_activity(ROWS, "ZX1", MONTH, seed=7), path)
    with installation.engine().begin() as connection, path.open("rb") as stream:
        submission = open_submission(connection, 1, MONTH)
        stored = open_store().put("uploads/april.csv", stream)
        arrived = Upload(path.name, "uploads/april.csv", stored.size, stored.sha256)
        return submission, receive_file(connection, submission, arrived, user_id=None)


def value(installation: Installation, column: Any, table: sa.Table, number: int) -> Any:
    with installation.engine().connect() as connection:
        return connection.execute(sa.select(column).where(table.c.id == number)).scalar_one()


def ask_for_run(installation: Installation, submission: int) -> int:
    with installation.engine().begin() as connection:
        return request_run(connection, submission, "draft", user_id=None)


def is_draft(installation: Installation, submission: int) -> bool:
    state = value(installation, tables.submissions.c.state, tables.submissions, submission)
    assert state != "failed"
    return bool(state == "draft")


def charges_of(installation: Installation, run: int) -> Counter[Charge]:
    charges = tables.charges.c
    kept = [column for column in charges if column.name not in ("run_id", "reason_id")]
    with installation.engine().connect() as connection:
        rows = connection.execute(sa.select(*kept).where(charges.run_id == run))
        return Counter(tuple(row) for row in rows)


@pytest.fixture(scope="module")
def submission(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> int:
    """A month whose file is ready, although worker and check were killed in the middle of it."""
    number, file = upload(installation, tmp_path_factory.mktemp("activity"))

    def chunks() -> int:
        with installation.engine().connect() as connection:
            return connection.execute(
                sa.select(sa.func.count(tables.file_chunks.c.chunk))
            ).scalar_one()

    until(lambda: chunks() > 0)
    installation.kill("prefect_program worker", "prefect.engine")
    assert value(installation, tables.files.c.state, tables.files, file) == "checking"
    until(lambda: value(installation, tables.files.c.state, tables.files, file) == "ready")
    assert value(installation, tables.files.c.records, tables.files, file) == ROWS
    return number


@pytest.fixture(scope="module")
def undisturbed(installation: Installation, submission: int) -> Counter[Charge]:
    """The charges of a run that nobody killed."""
    run = ask_for_run(installation, submission)
    until(lambda: is_draft(installation, submission))
    return charges_of(installation, run)


def in_the_middle(installation: Installation, submission: int) -> bool:
    """The run has begun, and is not near its end."""
    with installation.engine().connect() as connection:
        state = connection.execute(
            sa.select(tables.submissions.c.state).where(tables.submissions.c.id == submission)
        ).scalar_one()
    return bool(state in ("triggering", "combining", "pricing", "allocating"))


def test_a_check_that_was_killed_loses_and_doubles_no_record(
    installation: Installation, submission: int
) -> None:
    with installation.engine().connect() as connection:
        found = connection.execute(
            sa.text("SELECT count(*), count(DISTINCT row) FROM records_sexual_health")
        ).one()
    assert tuple(found) == (ROWS, ROWS)


def test_worker_and_run_killed_while_the_rest_lives(
    installation: Installation, submission: int, undisturbed: Counter[Charge]
) -> None:
    run = ask_for_run(installation, submission)
    until(lambda: in_the_middle(installation, submission))
    installation.kill("prefect_program worker", "prefect.engine")
    assert not is_draft(installation, submission)
    until(lambda: is_draft(installation, submission))
    assert charges_of(installation, run) == undisturbed


def test_everything_killed_and_started_again(
    installation: Installation, submission: int, undisturbed: Counter[Charge]
) -> None:
    run = ask_for_run(installation, submission)
    until(lambda: in_the_middle(installation, submission))
    installation.kill_everything()
    installation.up()
    until(lambda: is_draft(installation, submission))
    assert charges_of(installation, run) == undisturbed


def test_stopped_as_at_the_end_of_the_day_and_started_again(
    installation: Installation, submission: int, undisturbed: Counter[Charge]
) -> None:
    run = ask_for_run(installation, submission)
    until(lambda: in_the_middle(installation, submission))
    installation.stop()
    installation.up()
    until(lambda: is_draft(installation, submission))
    assert charges_of(installation, run) == undisturbed


def test_the_database_killed_under_a_run(
    installation: Installation, submission: int, undisturbed: Counter[Charge]
) -> None:
    run = ask_for_run(installation, submission)
    until(lambda: in_the_middle(installation, submission))
    postmaster = (installation.home / "postgres/data/postmaster.pid").read_text().split("\n")[0]
    os.kill(int(postmaster), signal.SIGKILL)
    until(lambda: is_draft(installation, submission))
    assert charges_of(installation, run) == undisturbed
