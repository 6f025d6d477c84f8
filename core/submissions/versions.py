"""The version of the data set and the revision of the tariff that a month follows.

Until a month is submitted, both follow from its provider, its month and what is in force; once
submitted it keeps them for ever, also where it is opened again (docs/decisions/0030).
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from core.configurations.datasets import (
    Version,
    get_version,
    version_of_month,
)
from core.configurations.in_force import (
    holdings_of,
    tariffs_in_force,
    version_of_submission,
)
from core.database import tables
from core.engine.dataset.specification import Specification
from core.submissions.months import SubmissionRow
from core.user_errors import UserError


def version_for(connection: Connection, submission: SubmissionRow) -> Version:
    """The version of the data set that the month follows; raises ``UserError`` for none."""
    if submission.dataset_id is not None:
        return get_version(connection, submission.dataset_id)
    return version_of_month(connection, submission.dataset, submission.month)


def has_version(connection: Connection, submission: SubmissionRow) -> bool:
    """Whether some version of the data set is in force for the month."""
    query = sa.select(version_of_submission()).where(tables.submissions.c.id == submission.id)
    return connection.execute(query).scalar() is not None


def specification_for(connection: Connection, submission: SubmissionRow) -> Specification:
    """The specification under which the month is uploaded, checked, corrected and calculated."""
    return version_for(connection, submission).specification


def specification_of_file(connection: Connection, file_id: int) -> Specification:
    """The specification that the file was checked under; of a new file that of its month."""
    files, months = tables.files, tables.submissions
    query = (
        sa.select(sa.func.coalesce(files.c.dataset_id, version_of_submission()))
        .join(months, months.c.id == files.c.submission_id)
        .where(files.c.id == file_id)
    )
    dataset_id = connection.execute(query).scalar()
    if dataset_id is None:
        raise UserError(f"There is no file {file_id}, or no data set for it.")
    return get_version(connection, dataset_id).specification


def configuration_in_force(connection: Connection, submission: SubmissionRow) -> int | None:
    """The id of the revision of the tariff for the month; drafts never. None: there is none."""
    months = tables.submissions
    query = sa.select(months.c.configuration_id, months.c.dataset).where(
        months.c.id == submission.id
    )
    kept, dataset = connection.execute(query).one()
    if kept is not None:
        return int(kept)
    held = holdings_of(connection, provider=submission.provider).get(submission.provider, {})
    return tariffs_in_force(held, submission.month).get(dataset)
