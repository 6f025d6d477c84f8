"""The clinics of a month whose host has to be named before it is calculated."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.database.records import records_table
from core.submissions.months import SubmissionRow
from core.submissions.versions import has_version, specification_for
from core.vocabulary.states.submissions import FileState


def clinics_to_place(connection: Connection, submission: SubmissionRow) -> list[str]:
    """The clinics in the submission's records whose host is not known yet.

    Clinics that were corrected since, or whose file was removed, are left out.
    """
    clinics = tables.clinics
    query = sa.select(clinics.c.clinic_id).where(
        clinics.c.provider_id == submission.provider_id, clinics.c.commissioner.is_(None)
    )
    unplaced = list(connection.execute(query).scalars())
    if not unplaced or not has_version(connection, submission):
        return []
    return sorted(_in_records(connection, submission, unplaced))


def _in_records(connection: Connection, submission: SubmissionRow, clinics: list[str]) -> list[str]:
    specification = specification_for(connection, submission)
    records = sa.table(
        records_table(specification),
        sa.column("file_id"),
        sa.column("in_error"),
        sa.column(specification.key_columns[0]),
    )
    clinic = records.c[specification.key_columns[0]]
    files = sa.select(tables.files.c.id).where(
        tables.files.c.submission_id == submission.id, tables.files.c.state != FileState.REMOVED
    )
    # The ids are part of the query itself, or the index by file would not be used.
    file_ids = list(connection.execute(files).scalars())
    query = (
        sa.select(clinic)
        .distinct()
        .where(records.c.file_id.in_(file_ids), clinic.in_(clinics), sa.not_(records.c.in_error))
    )
    return list(connection.execute(query).scalars())
