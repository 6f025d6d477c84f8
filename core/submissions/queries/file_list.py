"""The files of a submission, as people see them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.configurations.in_force import version_of_submission
from core.database import tables
from core.engine.reading.revision import READER_REVISION, TAKEN_OVER_READER
from core.submissions.scoped import submissions_in
from core.vocabulary.states.submissions import FILE_TEXTS, FileState


@dataclass(frozen=True)
class FileRow:
    """An uploaded file with its state and progress."""

    id: int
    name: str
    size: int
    state: FileState
    records: int
    errors: int
    warnings: int
    failure: str | None
    uploaded_at: dt.datetime
    uploaded_by: str
    checked_records: int  # of the check that runs now
    checked_chunks: int
    chunks: int | None  # the estimated number; None: not known
    corrections: int  # in force
    same_as: str | None  # an earlier file with the very same content
    transpose: bool
    sheet: str | None  # chosen; None: the first
    sheets: list[str] | None  # of a workbook, those that a person sees
    headings: list[dict[str, str | None]] | None  # as read: heading, and its column
    first_rows: list[list[str]] | None  # while the row of its headings is to be chosen
    rows_there: int | None  # below the headings; None: not counted
    rows_in_error: int | None
    rows_left_out: int | None
    outdated: bool  # its records come from an earlier reading

    @property
    def text(self) -> str:
        """The state in words for the user."""
        return self.failure or FILE_TEXTS[self.state]

    @property
    def rows_read(self) -> int | None:
        """Rows that are records without error."""
        if self.rows_there is None:
            return None
        return self.rows_there - (self.rows_in_error or 0) - (self.rows_left_out or 0)

    @property
    def moving(self) -> bool:
        """Whether its state will change without an action of a user."""
        return self.state in (FileState.RECEIVED, FileState.CHECKING)


def files_of(connection: Connection, scope: Scope, submission_id: int) -> list[FileRow]:
    """The files that belong to a submission, in the order of upload."""
    files, users, chunks = tables.files, tables.users, tables.file_chunks
    months = tables.submissions
    made = tables.corrections
    corrections = (
        sa.select(sa.func.count())
        .where(made.c.file_id == files.c.id, made.c.undone_at.is_(None))
        .scalar_subquery()
    )
    earlier = files.alias("earlier")
    twin = (
        sa.select(sa.func.min(earlier.c.name))
        .where(
            earlier.c.submission_id == files.c.submission_id,
            earlier.c.sha256 == files.c.sha256,
            earlier.c.position < files.c.position,
            earlier.c.state != FileState.REMOVED,
        )
        .scalar_subquery()
    )
    of_check = sa.and_(
        chunks.c.file_id == files.c.id, chunks.c.check_number == files.c.check_number
    )
    records = sa.func.coalesce(sa.func.sum(chunks.c.records), 0)
    checked = sa.select(records).where(of_check).scalar_subquery()
    checked_chunks = sa.select(sa.func.count()).where(of_check).scalar_subquery()
    query = (
        sa.select(
            files.c.id,
            files.c.name,
            files.c.size,
            files.c.state,
            files.c.records,
            files.c.errors,
            files.c.warnings,
            files.c.failure,
            files.c.uploaded_at,
            sa.func.coalesce(users.c.name, "").label("uploaded_by"),
            checked.label("checked_records"),
            checked_chunks.label("checked_chunks"),
            files.c.chunks,
            corrections.label("corrections"),
            twin.label("same_as"),
            files.c.transpose,
            files.c.sheet,
            files.c.sheets,
            files.c.headings,
            files.c.first_rows,
            files.c.rows_there,
            files.c.rows_in_error,
            files.c.rows_left_out,
            sa.and_(
                files.c.reader > TAKEN_OVER_READER,
                sa.or_(
                    files.c.reader < READER_REVISION,
                    files.c.dataset_id.is_distinct_from(version_of_submission()),
                ),
            ).label("outdated"),
        )
        .join(months, months.c.id == files.c.submission_id)
        .outerjoin(users, users.c.id == files.c.uploaded_by)
        .where(
            files.c.submission_id == submission_id,
            files.c.state != FileState.REMOVED,
            submissions_in(scope, files.c.submission_id),
        )
        .order_by(files.c.position)
    )
    return [
        FileRow(**{**row, "state": FileState(row["state"])})
        for row in connection.execute(query).mappings()
    ]
