"""``grouper upload``: puts files into a provider's month and follows their check."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.check import FILE
from cli.services import NOT_DONE, print_document, running_services, say_progress
from core.counting import counted

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Engine

    from core.submissions.error_cause import Cause
    from core.submissions.months import SubmissionRow
    from core.submissions.queries.file_list import FileRow

CAUSES_SHOWN = 20


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@click.option("--provider", required=True, metavar="CODE", help="Whose files these are.")
@click.option("--month", required=True, metavar="YYYY-MM", help="Month of the submission.")
@click.option("--dataset", metavar="NAME", help="Of this data set, where there are several.")
@click.option("--transpose", is_flag=True, help="Rows carry one activity code each.")
@click.option("--sheet", metavar="NAME", help="Sheet of workbooks; default the first visible.")
@click.option("--wait/--no-wait", default=True, help="Wait until all are checked (default).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def upload(
    files: tuple[Path, ...],
    *,
    provider: str,
    month: str,
    dataset: str | None,
    transpose: bool,
    sheet: str | None,
    wait: bool,
    as_json: bool,
) -> int:
    """Upload activity FILEs to a provider's month, and say what is wrong in them.

    Exit code 0: every file is ready (or, with --no-wait, received); 1: a file has errors; 2: wrong
    use, or the services do not run.
    """
    from core.engine.tariff.months import parse_month

    with running_services() as engine:
        submission = _find_month(engine, provider, parse_month(month), dataset)
        file_ids = _store(
            engine, submission, files, transpose=transpose, sheet=sheet, quiet=as_json
        )
        checked = _follow(engine, submission, file_ids, wait=wait, quiet=as_json)
        causes = _causes(engine, checked)
    if as_json:
        print_document(_document(submission, checked, causes))
    else:
        for file in checked:
            click.echo("\n".join(_lines(file, causes[file.id])))
    stuck = any(not file.moving and file.state != "ready" for file in checked)
    return NOT_DONE if stuck else 0


def _find_month(
    engine: Engine, provider: str, month: dt.date, dataset: str | None
) -> SubmissionRow:
    """The submission, opened if it is new; refused before a long upload where it is locked."""
    from core.accounts.organisations import find_organisation
    from core.submissions.commands.requests import Obstacle
    from core.submissions.commands.uploads import refuse_if_locked
    from core.submissions.months import get_submission, open_submission
    from core.submissions.versions import configuration_in_force

    with engine.begin() as connection:
        organisation = find_organisation(connection, "provider", provider)
        submission_id = open_submission(connection, organisation.id, month, dataset=dataset)
        submission = get_submission(connection, submission_id)
        refuse_if_locked(submission)
        if configuration_in_force(connection, submission) is None:
            subject = f"{submission.provider_name} in {submission.month_text}"
            click.echo(f"warning: {Obstacle('no-configuration', subject).text}", err=True)
    return submission


def _store(
    engine: Engine,
    submission: SubmissionRow,
    files: tuple[Path, ...],
    *,
    transpose: bool,
    sheet: str | None,
    quiet: bool,
) -> list[int]:
    from core.files.store import open_store
    from core.submissions.commands.store_upload import UploadDetails, store_upload

    if sheet is not None:
        _refuse_without_sheet(engine, submission, files, sheet)
    store, file_ids = open_store(), []
    for path in files:
        # A name that is no UTF-8 cannot be stored as it is.
        name = os.fsencode(path.name).decode(errors="replace")
        arrival = UploadDetails(name, transpose, sheet=sheet)
        with path.open("rb") as stream:
            file_ids.append(
                store_upload(engine, store, submission.id, arrival, stream, user_id=None)
            )
        say_progress(f"{arrival.name}: uploaded", quiet=quiet)
    return file_ids


def _refuse_without_sheet(
    engine: Engine, submission: SubmissionRow, files: tuple[Path, ...], sheet: str
) -> None:
    """Raises ``UserError`` where a workbook has no such sheet, before anything is sent."""
    from core.engine.reading import open_file
    from core.submissions.versions import specification_for

    with engine.connect() as connection:
        specification = specification_for(connection, submission)
    for path in files:
        open_file(path, specification, sheet=sheet).close()


def _follow(
    engine: Engine, submission: SubmissionRow, file_ids: list[int], *, wait: bool, quiet: bool
) -> list[FileRow]:
    """The files as they are now, or once they have been checked."""
    from core.submissions.queries.following import follow_files

    rows: list[FileRow] = []
    shown: dict[int, int] = {}
    for rows in follow_files(engine, submission.id, file_ids):
        if not wait:
            break
        for file in rows:
            if file.moving and file.checked_records > shown.get(file.id, 0):
                shown[file.id] = file.checked_records
                so_far = counted(file.checked_records, "record")
                say_progress(f"{file.name}: {so_far} checked so far", quiet=quiet)
    return rows


def _causes(engine: Engine, files: list[FileRow]) -> dict[int, list[Cause]]:
    from core.access.scope import EVERYTHING
    from core.submissions.queries.error_list import causes

    with engine.connect() as connection:
        return {file.id: causes(connection, EVERYTHING, file.id) for file in files}


def _lines(file: FileRow, causes: list[Cause]) -> list[str]:
    lines = [f"{file.name}: {file.text}"]
    if not file.moving:
        lines[0] += (
            f" {counted(file.records, 'record')}, {counted(file.errors, 'error')}, "
            f"{counted(file.warnings, 'warning')}."
        )
    lines += [_cause_line(cause) for cause in causes[:CAUSES_SHOWN]]
    if len(causes) > CAUSES_SHOWN:
        lines.append("  … and more: `--json` lists them, and so does the portal")
    return lines


def _cause_line(cause: Cause) -> str:
    where = "file" if cause.first_row is None else f"row {cause.first_row}"
    if cause.rows > 1:
        where = f"first in {where}"
    return f"  {cause.rows:>9,} × {cause.code} ({where}): {cause.message}"


def _document(
    submission: SubmissionRow, files: list[FileRow], causes: dict[int, list[Cause]]
) -> dict[str, Any]:
    return {
        "provider": submission.provider,
        "month": f"{submission.month:%Y-%m}",
        "submission": submission.id,
        "files": [
            {
                "id": file.id,
                "name": file.name,
                "state": file.state,
                "text": file.text,
                "records": file.records,
                "errors": file.errors,
                "warnings": file.warnings,
                "causes": [vars(cause) for cause in causes[file.id]],
            }
            for file in files
        ],
    }
