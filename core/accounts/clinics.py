"""The clinics of a provider, and the authority that hosts each."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from core.accounts.permissions import Action
from core.accounts.scope import require
from core.areas.register import AreaRegister
from core.database import tables
from core.database.records import records_table
from core.datasets.published import current_specification
from core.submissions.months import SubmissionRow
from core.submissions.states import FileState
from core.user_errors import UserError


def clinics_to_place(connection: Connection, submission: SubmissionRow) -> list[str]:
    """The clinics in the submission's records whose host is not known yet.

    A clinic that was a slip, since corrected or taken out with its file, is none of them.
    """
    clinics = tables.clinics
    query = sa.select(clinics.c.clinic_id).where(
        clinics.c.provider_id == submission.provider_id, clinics.c.commissioner.is_(None)
    )
    unplaced = list(connection.execute(query).scalars())
    return sorted(_in_records(connection, submission, unplaced)) if unplaced else []


def _in_records(connection: Connection, submission: SubmissionRow, clinics: list[str]) -> list[str]:
    specification = current_specification(connection)
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
    # The ids stand in the query itself, or the index by file would not be used.
    file_ids = list(connection.execute(files).scalars())
    query = (
        sa.select(clinic)
        .distinct()
        .where(records.c.file_id.in_(file_ids), clinic.in_(clinics), sa.not_(records.c.in_error))
    )
    return list(connection.execute(query).scalars())


def place_clinic(
    connection: Connection,
    provider_id: int,
    clinic_id: str,
    commissioner: str,
    *,
    register: AreaRegister,
    user_id: int | None,
) -> None:
    """Says which authority hosts a clinic; raises ``UserError`` where either is unknown."""
    require(connection, user_id, Action.UPLOAD, provider_id)
    if commissioner not in register.names:
        raise UserError(f"{commissioner} is no authority of the register.")
    clinics = tables.clinics
    placed = connection.execute(
        clinics.update()
        .where(clinics.c.provider_id == provider_id, clinics.c.clinic_id == clinic_id)
        .values(commissioner=commissioner)
    )
    if not placed.rowcount:
        raise UserError(f"{clinic_id} is no clinic of this provider.")
    connection.execute(
        tables.audit.insert().values(
            user_id=user_id,
            action="clinic placed",
            subject=f"clinic:{provider_id}/{clinic_id}",
            detail={"commissioner": commissioner},
        )
    )
