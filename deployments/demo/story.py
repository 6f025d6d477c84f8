"""The main job, by the same calls that the portal makes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Engine

from core.access.scope import EVERYTHING
from core.accounts.organisations import find_organisation
from core.database import tables
from core.engine.dataset.corrections import Correction
from core.files.store import open_store
from core.reports.following import copy_report, follow_report
from core.reports.requests import ReportRequest, request_report
from core.submissions.commands.requests import RunKind, request_run
from core.submissions.commands.store_upload import UploadDetails, store_upload
from core.submissions.commands.uploads import correct
from core.submissions.months import open_submission
from core.submissions.queries.error_list import causes
from core.submissions.queries.file_list import FileRow
from core.submissions.queries.following import follow_files, follow_run
from core.submissions.queries.run_totals import RunSummary, run_summary
from core.support.polling import last
from core.user_errors import UserError
from core.vocabulary.states.submissions import STAGES, FileState, SubmissionState
from deployments.demo.activity import MONTH, DemoFile
from deployments.demo.cast import COMMISSIONERS, PROVIDERS

PATIENCE = 120
"""Seconds without a change after which a step counts as failed."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Month:
    """One provider's month in the demonstration."""

    provider: str
    submission_id: int
    file_id: int
    user_id: int


def upload(
    engine: Engine,
    file: DemoFile,
    user_id: int,
    *,
    month: dt.date = MONTH,
    dataset: str | None = None,
) -> Month:
    """Uploads a file to its provider's month; of which data set, where it has several."""
    with engine.begin() as connection:
        provider = find_organisation(connection, "provider", file.provider)
        submission_id = open_submission(connection, provider.id, month, dataset=dataset)
    with file.path.open("rb") as stream:
        arrival = UploadDetails(file.path.name)
        file_id = store_upload(
            engine, open_store(), submission_id, arrival, stream, user_id=user_id
        )
    return Month(file.provider, submission_id, file_id, user_id)


def wait_for_check(engine: Engine, month: Month) -> FileRow:
    """Waits until the file has been checked."""
    [file] = last(
        follow_files(engine, month.submission_id, [month.file_id], quiet_seconds=PATIENCE)
    )
    return file


def correct_errors(engine: Engine, month: Month, right: dict[str, str], say: Say) -> None:
    """Corrects each wrong value in all its rows, as a user does on the upload page."""
    with engine.begin() as connection:
        wrong = [c for c in causes(connection, EVERYTHING, month.file_id) if c.severity == "error"]
        corrections = [
            Correction(str(cause.field), cause.value, right[str(cause.value)]) for cause in wrong
        ]
        correct(connection, month.file_id, corrections, user_id=month.user_id)
    for cause in wrong:
        say(f"  {cause.field}: {cause.value} → {right[str(cause.value)]} in {cause.rows} rows")


def submit(engine: Engine, month: Month, kind: RunKind) -> int:
    """Requests a run and returns its id."""
    with engine.begin() as connection:
        return request_run(connection, month.submission_id, kind, user_id=month.user_id)


def wait_for_run(engine: Engine, month: Month, say: Say) -> RunSummary:
    """Follows the stages of the month's latest run until it is published."""
    run_id = _latest_run(engine, month)
    seen: set[SubmissionState] = set()
    for progress in follow_run(engine, run_id, quiet_seconds=PATIENCE):
        if progress.stage in STAGES and progress.stage not in seen:
            seen.add(progress.stage)
            say(f"  {month.provider}: {progress.stage}")
    if progress.state == "failed":
        raise UserError(f"{month.provider}: {progress.failure}")
    with engine.connect() as connection:
        return run_summary(connection, EVERYTHING, run_id)


def _latest_run(engine: Engine, month: Month) -> int:
    runs = tables.runs
    query = sa.select(sa.func.max(runs.c.id)).where(runs.c.submission_id == month.submission_id)
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def ask_for_report(
    engine: Engine, side: str, organisation: str, user_id: int, *, month: dt.date = MONTH
) -> int:
    """Requests the Backing Data of the month."""
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


def wait_for_report(engine: Engine, report_id: int, folder: Path) -> Path:
    """Waits for the workbook and copies it out of the store for the user to open."""
    report = last(follow_report(engine, report_id, quiet_seconds=PATIENCE))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / report.name
    copy_report(open_store(), report, path)
    return path


def require_state(file: FileRow, state: FileState) -> None:
    """Stops the demonstration where a file is not in the expected state."""
    if file.state != state:
        raise UserError(f"{file.name} should be {state} by now and is {file.state}: {file.text}")
