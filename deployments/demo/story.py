"""The main job, told through the same calls that the portal makes."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from core.database import tables
from core.datasets.corrections import Correction
from core.files.store import open_store
from core.reports.report_list import ReportRow, reports_of
from core.reports.requests import ReportRequest, request_report
from core.submissions.error_list import causes
from core.submissions.file_list import FileRow, files_of
from core.submissions.months import get_submission, open_submission
from core.submissions.outcome import Outcome, outcome_of
from core.submissions.requests import RunKind, request_run
from core.submissions.states import STAGES, FileState, ReportState, SubmissionState
from core.submissions.uploads import Upload, correct, receive_file
from core.user_errors import UserError
from deployments.demo.activity import MONTH, DemoFile
from deployments.demo.cast import COMMISSIONERS, PROVIDERS

PATIENCE = 120
"""Seconds after which a step that has not ended counts as failed."""

Say = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Month:
    """One provider's month in the demonstration."""

    provider: str
    submission_id: int
    file_id: int
    user_id: int


def upload(engine: Engine, file: DemoFile, user_id: int, *, month: dt.date = MONTH) -> Month:
    """Puts a file into the store and into its provider's month."""
    with engine.begin() as connection:
        provider_id = connection.execute(
            sa.select(tables.organisations.c.id).where(tables.organisations.c.code == file.provider)
        ).scalar_one()
        submission_id = open_submission(connection, provider_id, month)
        key = f"uploads/{submission_id}/{file.path.name}"
        with file.path.open("rb") as stream:
            stored = open_store().put(key, stream)
        arrived = Upload(file.path.name, key, stored.size, stored.sha256)
        file_id = receive_file(connection, submission_id, arrived, user_id=user_id)
    return Month(file.provider, submission_id, file_id, user_id)


def wait_for_check(engine: Engine, month: Month) -> FileRow:
    """Waits until the file has been checked."""

    def checked(connection: Connection) -> FileRow | None:
        file = next(f for f in files_of(connection, month.submission_id) if f.id == month.file_id)
        return None if file.moving else file

    return _wait(engine, checked, f"the check of {month.provider}'s file")


def correct_errors(engine: Engine, month: Month, right: dict[str, str], say: Say) -> None:
    """Puts each wrong value right for all its rows, as a user does on the upload page."""
    with engine.begin() as connection:
        found = [c for c in causes(connection, month.file_id) if c.severity == "error"]
        corrections = [
            Correction(str(cause.field), cause.value, right[str(cause.value)]) for cause in found
        ]
        correct(connection, month.file_id, corrections, user_id=month.user_id)
    for cause in found:
        say(f"  {cause.field}: {cause.value} → {right[str(cause.value)]} in {cause.rows} rows")


def submit(engine: Engine, month: Month, kind: RunKind) -> int:
    """Asks for a run and gives its id."""
    with engine.begin() as connection:
        return request_run(connection, month.submission_id, kind, user_id=month.user_id)


def wait_for_run(engine: Engine, month: Month, say: Say) -> Outcome:
    """Follows the stages until the run is published."""
    seen: set[str] = set()

    def published(connection: Connection) -> Outcome | None:
        submission = get_submission(connection, month.submission_id)
        if submission.state in STAGES and submission.state not in seen:
            seen.add(submission.state)
            say(f"  {month.provider}: {submission.state}")
        if submission.state == SubmissionState.FAILED:
            raise UserError(f"{month.provider}: {submission.failure}")
        if submission.state in (SubmissionState.DRAFT, SubmissionState.SUBMITTED):
            return outcome_of(connection, submission.run_id or 0)
        return None

    return _wait(engine, published, f"the run of {month.provider}")


def ask_for_report(
    engine: Engine, side: str, organisation: str, user_id: int, *, month: dt.date = MONTH
) -> int:
    """Asks for the Backing Data of the month."""
    names = PROVIDERS if side == "provider" else COMMISSIONERS
    with engine.begin() as connection:
        name = connection.execute(
            sa.select(tables.users.c.name).where(tables.users.c.id == user_id)
        ).scalar_one()
        request = ReportRequest(
            side="provider" if side == "provider" else "commissioner",
            organisation=organisation,
            organisation_name=names[organisation],
            first_month=month,
            last_month=month,
            asked_by=name,
        )
        return request_report(connection, request, user_id=user_id)


def wait_for_report(engine: Engine, report_id: int, user_id: int, folder: Path) -> Path:
    """Waits for the workbook and copies it out of the store for the user to open."""

    def ready(connection: Connection) -> ReportRow | None:
        report = next(r for r in reports_of(connection, user_id) if r.id == report_id)
        if report.state == ReportState.FAILED:
            raise UserError(str(report.failure))
        return None if report.moving else report

    report = _wait(engine, ready, "the report")
    folder.mkdir(parents=True, exist_ok=True)
    with open_store().local_path(str(report.storage_key)) as path:
        return Path(shutil.copy(path, folder / report.name))


def require_state(file: FileRow, state: FileState) -> None:
    """Stops the demonstration where a file is not as it should be by now."""
    if file.state != state:
        raise UserError(f"{file.name} should be {state} by now and is {file.state}: {file.text}")


def _wait(engine: Engine, look: Callable[[Connection], T | None], what: str) -> T:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with engine.connect() as connection:
            found = look(connection)
        if found is not None:
            return found
        time.sleep(0.2)
    raise UserError(f"{what} did not end within {PATIENCE} s; see the logs")
