"""The check of an uploaded file in the service: chunk by chunk, each stored once.

The file in the store is never changed. Corrections are applied as it is read, so a check gives the
same result however often it is run, and a correction is undone by leaving it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.areas.register_store import register_in_use
from core.configurations.datasets import all_versions
from core.database import tables
from core.database.copying import copy_table, with_ids
from core.database.engine import driver_cursor
from core.database.records import place_index, records_table, summarise
from core.engine.calculation.episodes import bucket_of
from core.engine.columns.as_read import made_visible
from core.engine.dataset.corrections import Correction, apply_corrections
from core.engine.dataset.problems import errors_table
from core.engine.dataset.specification import Specification
from core.engine.offline.checking import Checked, References, check_chunk
from core.engine.reading import Heading, Reading
from core.engine.reading.files import rows_lost
from core.engine.reading.revision import READER_REVISION
from core.events.failures import mark_resolved
from core.events.outbox import raise_event
from core.submissions.commands.heading_review import is_new, needs_review
from core.submissions.commands.headings import choices_of
from core.submissions.event_names import names_of_submission
from core.submissions.months import SubmissionRow, get_submission
from core.submissions.transitions import move
from core.submissions.versions import version_for
from core.vocabulary import event_catalogue
from core.vocabulary.heading_look import Look
from core.vocabulary.states.submissions import FILE_MACHINE, FileState


@dataclass(frozen=True)
class FileCheckInputs:
    """The inputs of the check of one file."""

    file_id: int
    name: str
    storage_key: str
    transpose: bool
    sheet: str | None
    look: Look
    check_number: int
    submission: SubmissionRow
    specification: Specification
    dataset_id: int  # the version that the specification is
    checked_under: int | None  # the version of the check before; None: not checked before
    references: References
    corrections: tuple[Correction, ...]
    headings: Mapping[str, str | None]  # as chosen for the provider: heading to column
    heading_row: int | None  # as chosen for the file; None: the first


@dataclass(frozen=True)
class ChunkCounts:
    """The counts of one chunk."""

    records: int
    in_error: int
    errors: int
    warnings: int


def load_file_check(connection: Connection, file_id: int) -> FileCheckInputs:
    """Reads the inputs of a check."""
    row = connection.execute(sa.select(tables.files).where(tables.files.c.id == file_id)).one()
    submission = get_submission(connection, row.submission_id)
    version = version_for(connection, submission)
    specification = version.specification
    return FileCheckInputs(
        file_id=file_id,
        name=row.name,
        storage_key=row.storage_key,
        transpose=row.transpose,
        sheet=row.sheet,
        look=Look(row.look),
        check_number=row.check_number,
        submission=submission,
        specification=specification,
        dataset_id=version.id,
        checked_under=row.dataset_id,
        references=References(
            lsoas=register_in_use(connection),
            clinics=None,  # a new clinic is no error: its host is set before submission
            provider=submission.provider,
            month=submission.month,
        ),
        corrections=_corrections(connection, file_id, specification),
        headings=choices_of(connection, submission.provider_id, specification),
        heading_row=row.heading_row,
    )


def _corrections(
    connection: Connection, file_id: int, specification: Specification
) -> tuple[Correction, ...]:
    """The corrections in force of the columns that this version has; an import names the others."""
    corrections = tables.corrections
    rows = connection.execute(
        sa.select(corrections.c.field, corrections.c.wrong, corrections.c.value, corrections.c.row)
        .where(corrections.c.file_id == file_id, corrections.c.undone_at.is_(None))
        .order_by(corrections.c.id)
    )
    made = (Correction(*row) for row in rows)
    return tuple(each for each in made if each.field in specification.columns)


def begin_file_check(connection: Connection, check: FileCheckInputs) -> set[int]:
    """Moves the file to checking and returns the chunks that this same check stored before.

    Records and errors of an older check of the file are deleted: they may be wrong now.
    """
    move(
        connection,
        tables.files,
        FILE_MACHINE,
        check.file_id,
        FileState.CHECKING,
        failure=None,
        dataset_id=check.dataset_id,
    )
    if check.checked_under not in (None, check.dataset_id):
        clear_file(connection, check.file_id)
        return set()
    chunks = tables.file_chunks
    rows = connection.execute(
        sa.select(chunks.c.chunk, chunks.c.check_number).where(chunks.c.file_id == check.file_id)
    ).all()
    if not rows:  # no chunk was stored, but a refused file has errors of the file as a whole
        errors = tables.errors
        connection.execute(sa.delete(errors).where(errors.c.file_id == check.file_id))
        return set()
    if all(row.check_number == check.check_number for row in rows):
        return {row.chunk for row in rows}
    clear_file(connection, check.file_id)
    return set()


def set_expected_chunks(connection: Connection, check: FileCheckInputs, chunks: int | None) -> None:
    """Records the estimated number of chunks, for the display of progress."""
    files = tables.files
    connection.execute(files.update().where(files.c.id == check.file_id).values(chunks=chunks))


def wait_for_confirmation(connection: Connection, check: FileCheckInputs, reading: Reading) -> bool:
    """Moves a file to unconfirmed if a person must confirm its headings; returns whether it did.

    A file that lacks a required heading is one: a person can say where it stands.
    """
    headings, lacking = reading.headings, reading.lacks_headings
    if check.look == Look.NEVER or (reading.refused and not lacking):
        return False
    if not lacking and not needs_review(check.look, headings, check.specification, check.headings):
        return False
    _store_errors(connection, check, reading.errors)
    move(
        connection,
        tables.files,
        FILE_MACHINE,
        check.file_id,
        FileState.UNCONFIRMED,
        headings=heading_documents(headings),
        sheets=reading.sheets,
        first_rows=shown_rows(reading) if lacking else None,
        **file_totals(connection, check.file_id),
    )
    new = sum(is_new(each, check.specification, check.headings) for each in headings)
    raise_event(connection, event_catalogue.FileUnconfirmed(new=new, **event_names_of_check(check)))
    return True


def heading_documents(headings: Iterable[Heading]) -> list[dict[str, str | None]]:
    """The headings of a file with the column of each, as they are stored."""
    return [{"heading": each.heading, "column": each.column} for each in headings]


ROWS_SHOWN, CELLS_SHOWN, LETTERS_SHOWN = 20, 12, 60
"""So much of a file is kept for who chooses the row of its headings."""


def shown_rows(reading: Reading) -> list[list[str]]:
    """The beginning of the first rows of a file."""
    return [
        [made_visible(cell)[:LETTERS_SHOWN] for cell in row[:CELLS_SHOWN]]
        for row in reading.first_rows[:ROWS_SHOWN]
    ]


def clear_file(connection: Connection, file_id: int) -> None:
    """Deletes the records and errors of a file, whichever data set it was checked under."""
    records = [
        sa.table(name, sa.column("file_id")) for name in sorted(_tables_of_records(connection))
    ]
    for table in (tables.file_chunks, tables.errors, *records):
        connection.execute(sa.delete(table).where(table.c.file_id == file_id))


def _tables_of_records(connection: Connection) -> set[str]:
    return {records_table(version.specification) for version in all_versions(connection)}


def check_and_correct(check: FileCheckInputs, chunk: pa.Table) -> Checked:
    """Checks a raw chunk with the corrections made so far."""
    corrected = apply_corrections(chunk, check.corrections)
    return check_chunk(corrected, check.specification, check.references)


def store_chunk(
    connection: Connection, check: FileCheckInputs, number: int, checked: Checked
) -> ChunkCounts:
    """Writes records, errors, new clinics and the mark of one chunk in the caller's transaction.

    Records are written in the order of their bucket, so that a run reads few pages for each.
    """
    severities = pc.value_counts(checked.errors["severity"]).to_pylist()
    count = {entry["values"]: entry["counts"] for entry in severities}
    counts = ChunkCounts(
        records=checked.records.num_rows,
        in_error=int(pc.sum(checked.records["in_error"]).as_py() or 0),
        errors=count.get("error", 0),
        warnings=count.get("warning", 0),
    )
    with driver_cursor(connection) as cursor:
        table = records_table(check.specification)
        stored = _stored_records(check, number, checked.records)
        copy_table(cursor, table, stored.column_names, stored)
        errors = with_ids(checked.errors, file_id=check.file_id, chunk=number)
        copy_table(cursor, "errors", errors.column_names, errors)
    connection.execute(
        tables.file_chunks.insert().values(
            file_id=check.file_id,
            check_number=check.check_number,
            chunk=number,
            **vars(counts),
        )
    )
    # Last, since chunks with the same new clinic wait for each other here.
    _add_new_clinics(connection, check, _clinics(checked.records, check.specification))
    return counts


def _stored_records(check: FileCheckInputs, number: int, records: pa.Table) -> pa.Table:
    bucket = bucket_of(records, check.specification)
    order = np.argsort(bucket, kind="stable")
    stored = records.append_column("bucket", pa.array(bucket, type=pa.int16())).take(
        pa.array(order)
    )
    return with_ids(stored, file_id=check.file_id, chunk=number)


def _clinics(records: pa.Table, specification: Specification) -> list[str]:
    good = records.filter(pc.invert(records["in_error"]))
    clinic = good[specification.key_columns[0]].cast(pa.string())
    return sorted(pc.unique(clinic).drop_null().to_pylist())


def finish_file_check(
    connection: Connection, check: FileCheckInputs, reading: Reading
) -> FileState:
    """Stores the errors of the file as a whole, totals the chunks, and ends the check; returns the
    state of the file."""
    _store_errors(connection, check, reading.file_errors())
    lost = _rows_lost(connection, check, reading)
    if lost is not None:
        _store_errors(connection, check, lost)
    summarise(connection, place_index(records_table(check.specification)))
    totals = file_totals(connection, check.file_id)
    state = FileState.READY
    if reading.refused or lost is not None:
        state = FileState.REJECTED
    elif totals["errors"]:
        state = FileState.IN_ERROR
    move(
        connection,
        tables.files,
        FILE_MACHINE,
        check.file_id,
        state,
        headings=heading_documents(reading.headings),
        sheets=reading.sheets,
        first_rows=shown_rows(reading) if reading.lacks_headings else None,
        reader=READER_REVISION,
        **totals,
        **_rows(connection, check, reading),
    )
    if (
        state == FileState.REJECTED
    ):  # the file itself is refused, so an earlier fault no longer matters
        mark_resolved(connection, f"file/{check.file_id}", why="the file was read, and refused")
    _raise_events(connection, check, state, totals)
    return state


def _store_errors(connection: Connection, check: FileCheckInputs, file_errors: pa.Table) -> None:
    with driver_cursor(connection) as cursor:
        errors = with_ids(file_errors, file_id=check.file_id, chunk=-1)
        copy_table(cursor, "errors", errors.column_names, errors)


def _rows_lost(connection: Connection, check: FileCheckInputs, reading: Reading) -> pa.Table | None:
    """The error of a file of which other records were stored than read."""
    stored = _sum_over_chunks(connection, check, "records")
    if reading.refused or reading.counts is None or stored == reading.counts.records:
        return None
    there, read = reading.counts.there, reading.counts.records
    return errors_table([rows_lost(there, there - read + stored)])


def _rows(connection: Connection, check: FileCheckInputs, reading: Reading) -> dict[str, Any]:
    """Where the rows of the file went, unless nobody can count them."""
    if reading.counts is None:
        return dict.fromkeys(("rows_there", "rows_in_error", "rows_left_out"))
    return {
        "rows_there": reading.counts.there,
        "rows_in_error": _sum_over_chunks(connection, check, "in_error") + reading.counts.in_error,
        "rows_left_out": reading.counts.left_out,
    }


def _sum_over_chunks(connection: Connection, check: FileCheckInputs, column: str) -> int:
    chunks = tables.file_chunks
    total = sa.func.coalesce(sa.func.sum(chunks.c[column]), 0)
    query = sa.select(total).where(chunks.c.file_id == check.file_id)
    return int(connection.execute(query).scalar_one())


def file_totals(connection: Connection, file_id: int) -> dict[str, Any]:
    """The counts of records, errors and warnings that are stored for a file."""
    chunks, errors = tables.file_chunks, tables.errors
    records = connection.execute(
        sa.select(sa.func.coalesce(sa.func.sum(chunks.c.records), 0)).where(
            chunks.c.file_id == file_id
        )
    ).scalar_one()
    counts = connection.execute(
        sa.select(errors.c.severity, sa.func.count())
        .where(errors.c.file_id == file_id)
        .group_by(errors.c.severity)
    )
    by_severity: dict[str, int] = {row[0]: row[1] for row in counts}
    return {
        "records": int(records),
        "errors": by_severity.get("error", 0),
        "warnings": by_severity.get("warning", 0),
    }


def _add_new_clinics(connection: Connection, check: FileCheckInputs, clinics: list[str]) -> None:
    """Adds new clinics without a host, which must be set later.

    All transactions add them in the same order, or two of them could deadlock.
    """
    if not clinics:
        return
    provider_id = check.submission.provider_id
    rows = [{"provider_id": provider_id, "clinic_id": each, "name": each} for each in clinics]
    connection.execute(insert(tables.clinics).values(rows).on_conflict_do_nothing())


def _raise_events(
    connection: Connection, check: FileCheckInputs, state: FileState, totals: dict[str, int]
) -> None:
    about = event_names_of_check(check)
    raise_event(connection, event_catalogue.FileChecked(state=state.value, **totals, **about))
    if state == FileState.READY:
        raise_event(connection, event_catalogue.FileReady(records=totals["records"], **about))


def event_names_of_check(check: FileCheckInputs) -> dict[str, Any]:
    """The ids and names that every event of a file carries."""
    names = names_of_submission(check.submission)
    return {"file_id": check.file_id, "file": check.name, **names}
