"""What fails for a reason of its own waits for an operator, who tries again only what failed."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from core.accounts.organisations import find_organisation
from core.database import tables
from core.engine.samples.activity import make_activity, sample_clinics
from core.engine.samples.writing import write_activity
from core.files.store import open_store
from core.submissions.commands.requests import request_run
from core.submissions.commands.uploads import Upload, receive_file
from core.submissions.months import get_submission, open_submission
from core.submissions.queries.following import follow_files, follow_run
from core.support.polling import last
from deployments.demo.by_hand import charges_by_hand, charges_in_database
from deployments.demo.run import CONFIGURATION, DATASET
from deployments.prefect_login import prefect_client

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Engine

    from deployments.supervisor import Services

MONTH = dt.date(2018, 2, 1)
ROWS, CHUNKS = 1_500, 4
POISON_CHUNK = 2
RECORDS, DATE = "records_sexual_health", "Attendance Date"
Errors = Callable[..., str]


@dataclass(frozen=True)
class Ids:
    submission: int
    file: int


@pytest.fixture(scope="module")
def errors(services: Services, populated: Engine) -> Errors:
    """``grouper errors`` as an operator types it; gives what it says."""
    environment = {**os.environ, **services.settings.environment()}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "cli.main", "errors", *arguments]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def waiting(errors: Errors, subject: str) -> dict[str, Any]:
    """The one failure of a subject, as the command lists it."""
    listed = json.loads(errors("list", "--json"))["failures"]
    [failure] = [each for each in listed if each["subject"] == subject]
    return dict(failure)


@pytest.fixture(scope="module")
def activity() -> pa.Table:
    return make_activity(ROWS, "ZX1", MONTH, seed=23)


@pytest.fixture(scope="module")
def failed_check(populated: Engine, activity: pa.Table, tmp_path_factory: Any) -> tuple[Ids, Path]:
    """A file whose check failed because the store does not have it."""
    path: Path = tmp_path_factory.mktemp("files") / "February 2018.csv"
    write_activity(activity, path)
    with populated.begin() as connection:
        provider = find_organisation(connection, "provider", "ZX1")
        month = open_submission(connection, provider.id, MONTH)
        arrived = Upload(path.name, "uploads/february.csv", path.stat().st_size, "")
        file = receive_file(connection, month, arrived, user_id=None)
    [checked] = last(follow_files(populated, month, [file], quiet_seconds=120))
    assert checked.state == "rejected"
    return Ids(month, file), path


def test_a_check_that_a_fault_stopped_is_done_once_the_fault_is_mended(
    populated: Engine, errors: Errors, failed_check: tuple[Ids, Path]
) -> None:
    ids, path = failed_check
    failure = waiting(errors, f"file/{ids.file}")
    assert (failure["kind"], failure["state"]) == ("file check", "waiting")
    [file] = last(follow_files(populated, ids.submission, [ids.file], quiet_seconds=120))
    assert failure["reference"] in str(file.failure)
    with path.open("rb") as stream:
        open_store().put("uploads/february.csv", stream)
    assert "is tried again" in errors("retry", failure["reference"])
    [file] = last(follow_files(populated, ids.submission, [ids.file], quiet_seconds=120))
    assert (file.state, file.records) == ("ready", ROWS)
    assert "resolved" in state_line(errors, failure["reference"])


def state_line(errors: Errors, reference: str) -> str:
    return errors("show", reference).partition("\n")[0]


def set_date(connection: sa.Connection, ids: Ids, date: str, new: str) -> list[str]:
    """Changes the date of the first record of a chunk; gives the date that it had."""
    first, after = (number * 1024 // CHUNKS for number in (POISON_CHUNK, POISON_CHUNK + 1))
    records = sa.table(RECORDS, *map(sa.column, ("file_id", "row", "bucket", DATE)))
    one = (
        sa.select(sa.func.min(records.c.row))
        .where(records.c.file_id == ids.file, records.c.bucket.between(first, after - 1))
        .scalar_subquery()
    )
    this = (records.c.file_id == ids.file) & (records.c.row == one)
    before = list(connection.execute(sa.select(records.c[DATE]).where(this)).scalars())
    assert date in ("any", *before)
    connection.execute(records.update().where(this).values({DATE: new}))
    return before


def chunks_of(engine: Engine, run_id: int) -> dict[int, dt.datetime]:
    done = tables.run_chunks.c
    with engine.connect() as connection:
        query = sa.select(done.chunk, done.done_at).where(done.run_id == run_id)
        return {row.chunk: row.done_at for row in connection.execute(query)}


def tasks_of(services: Services, run_id: int) -> list[set[str]]:
    """The names of the tasks that each flow run of the submission's run carried out, in turn."""
    query = {
        "flow_runs": {"name": {"any_": ["draft of ZX1 2018-02"]}},
        "sort": "EXPECTED_START_TIME_ASC",
    }
    with prefect_client(services.settings) as http:
        flows = http.post("/flow_runs/filter", json=query).json()
        return [
            {
                task["name"]
                for task in http.post(
                    "/task_runs/filter", json={"flow_runs": {"id": {"any_": [flow["id"]]}}}
                ).json()
            }
            for flow in flows
            if flow["parameters"]["run_id"] == run_id
        ]


def test_a_run_with_one_poisoned_chunk_repeats_that_chunk_alone(
    services: Services,
    populated: Engine,
    errors: Errors,
    activity: pa.Table,
    failed_check: tuple[Ids, Path],
) -> None:
    ids, _ = failed_check
    with populated.begin() as connection:
        [date] = set_date(connection, ids, "any", "no date")
        run_id = request_run(connection, ids.submission, "draft", user_id=None)
        connection.execute(
            tables.runs.update().where(tables.runs.c.id == run_id).values(chunks=CHUNKS)
        )
    assert last(follow_run(populated, run_id, quiet_seconds=120)).state == "failed"

    failure = waiting(errors, f"submission/{ids.submission}")
    assert (failure["kind"], failure["attempts"]) == ("run", 1)
    assert "no date" not in json.dumps(failure)
    assert "22007" in failure["detail"]  # what PostgreSQL calls a wrong date
    with populated.connect() as connection:
        month = get_submission(connection, ids.submission)
    assert failure["reference"] in str(month.failure)
    before = chunks_of(populated, run_id)
    assert sorted(before) == [chunk for chunk in range(CHUNKS) if chunk != POISON_CHUNK]

    with populated.begin() as connection:
        set_date(connection, ids, "no date", date)
    errors("retry", failure["reference"])
    assert last(follow_run(populated, run_id, quiet_seconds=120)).state == "published"
    assert "resolved" in state_line(errors, failure["reference"])

    after = chunks_of(populated, run_id)
    assert {chunk: after[chunk] for chunk in before} == before
    assert sorted(after) == list(range(CHUNKS))
    *_, tried_again = tasks_of(services, run_id)
    assert tried_again == {
        f"{stage} bucket {POISON_CHUNK}"
        for stage in ("merging", "triggering", "combining", "pricing", "allocating")
    }
    by_hand = charges_by_hand(
        activity,
        provider="ZX1",
        dataset=DATASET.read_text(),
        configuration=CONFIGURATION.read_text(),
        hosts={clinic: host for clinic, _, host in sample_clinics("ZX1")},
    )
    with populated.connect() as connection:
        assert charges_in_database(connection, run_id) == by_hand


def test_a_run_that_cannot_even_be_loaded_fails_at_once(
    populated: Engine, errors: Errors, failed_check: tuple[Ids, Path]
) -> None:
    ids, _ = failed_check
    runs = tables.runs
    with populated.begin() as connection:
        run_id = request_run(connection, ids.submission, "draft", user_id=None)
        this = runs.c.id == run_id
        query = sa.select(runs.c.configuration_id).where(this)
        configuration = connection.execute(query).scalar_one()
        connection.execute(runs.update().where(this).values(configuration_id=None))
    assert last(follow_run(populated, run_id, quiet_seconds=120)).state == "failed"
    failure = waiting(errors, f"submission/{ids.submission}")
    assert failure["attempts"] == 1
    assert "load_run" in failure["detail"]
    with populated.begin() as connection:
        connection.execute(runs.update().where(this).values(configuration_id=configuration))
    errors("retry", failure["reference"])
    assert last(follow_run(populated, run_id, quiet_seconds=120)).state == "published"
