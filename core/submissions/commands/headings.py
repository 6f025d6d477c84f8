"""A provider's choices of columns for headings, where matching alone is not enough."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.access.audit import note
from core.configurations.datasets import get_version
from core.database import tables
from core.engine.dataset.fields import heading_key
from core.engine.dataset.headings import missing_fields
from core.engine.dataset.specification import Specification
from core.engine.reading.csv_file import HEAD_ROWS
from core.submissions.commands.uploads import recheck_file
from core.submissions.months import get_submission
from core.submissions.versions import specification_for, version_for
from core.user_errors import UserError
from core.vocabulary.heading_look import Look


def choices_of(
    connection: Connection, provider_id: int, specification: Specification
) -> dict[str, str | None]:
    """Heading (as ``heading_key``) to column; None: left out.

    Columns that this version does not have are ignored, and so is a choice for a heading that this
    version knows and the one of the choice did not: it was made when the field was not there.
    """
    chosen = tables.heading_choices
    query = sa.select(chosen.c.heading, chosen.c.column, chosen.c.dataset_id).where(
        chosen.c.provider_id == provider_id, chosen.c.dataset == specification.dataset
    )
    known = specification.known_headings()
    return {
        row.heading: row.column
        for row in connection.execute(query)
        if (row.column is None or row.column in specification.columns)
        and (row.heading not in known or _was_known(connection, row.heading, row.dataset_id))
    }


def _was_known(connection: Connection, heading: str, dataset_id: int | None) -> bool:
    if dataset_id is None:
        return True
    return heading in get_version(connection, dataset_id).specification.known_headings()


def choose_headings(
    connection: Connection,
    file_id: int,
    choices: Mapping[str, str | None],
    *,
    user_id: int | None,
) -> None:
    """Stores the choices for the provider of the file, and requests a check with them.

    ``choices``: heading to column of the standard layout; None: left out. Raises ``UserError``
    where there is no choice, an unknown column, or one column for two headings.
    """
    if not choices:
        raise UserError("No heading is changed.")
    confirm_headings(connection, file_id, choices, user_id=user_id)


def confirm_headings(
    connection: Connection,
    file_id: int,
    choices: Mapping[str, str | None],
    *,
    user_id: int | None,
) -> None:
    """As ``choose_headings``, but ``choices`` may be empty: the matched headings are confirmed."""
    submission_id = recheck_file(connection, file_id, user_id=user_id, look=Look.NEVER)
    specification = specification_for(connection, get_submission(connection, submission_id))
    taken = {**_read(connection, file_id, specification), **choices}
    _refuse_bad(taken, specification)
    _refuse_missing(connection, file_id, taken, specification)
    if choices:
        _remember(connection, submission_id, choices, user_id)
    note(connection, "headings chosen", f"file:{file_id}", user_id=user_id, choices=dict(choices))


def _read(
    connection: Connection, file_id: int, specification: Specification
) -> dict[str, str | None]:
    """The column of each heading of a file; without headings of transposed codes."""
    query = sa.select(tables.files.c.headings).where(tables.files.c.id == file_id)
    headings = connection.execute(query).scalar() or []
    columns = specification.columns
    return {each["heading"]: each["column"] for each in headings if each["column"] in columns}


def choose_heading_row(
    connection: Connection, file_id: int, row: int, *, user_id: int | None
) -> None:
    """Has a file read with the headings of that row; raises ``UserError`` where there can be none.

    Headings that are new there want a look, as those of the first row would.
    """
    if not 1 <= row <= HEAD_ROWS:
        raise UserError(f"The headings must stand in one of the first {HEAD_ROWS} rows.")
    recheck_file(connection, file_id, user_id=user_id, look=Look.NEW, heading_row=row)
    note(connection, "heading row chosen", f"file:{file_id}", user_id=user_id, row=row)


def _refuse_missing(
    connection: Connection,
    file_id: int,
    taken: Mapping[str, str | None],
    specification: Specification,
) -> None:
    """A required field needs a heading; the codes of a transposed file stand in no column."""
    files = tables.files
    query = sa.select(files.c.transpose).where(files.c.id == file_id)
    transposed = bool(connection.execute(query).scalar())
    missing = missing_fields(set(taken.values()), specification, transpose=transposed)
    if missing:
        raise UserError(
            f"No heading stands for {', '.join(missing)}. Choose one for each, or another row of "
            "headings, or mend the file."
        )


def _remember(
    connection: Connection,
    submission_id: int,
    choices: Mapping[str, str | None],
    user_id: int | None,
) -> None:
    submission = get_submission(connection, submission_id)
    rows = [
        {
            "provider_id": submission.provider_id,
            "dataset": submission.dataset,
            "dataset_id": version_for(connection, submission).id,
            "heading": heading_key(heading),
            "column": column,
            "chosen_by": user_id,
        }
        for heading, column in choices.items()
    ]
    statement = insert(tables.heading_choices)
    statement = statement.on_conflict_do_update(
        index_elements=["provider_id", "dataset", "heading"],
        set_={
            "column": statement.excluded["column"],
            "dataset_id": statement.excluded.dataset_id,
            "chosen_by": statement.excluded.chosen_by,
            "chosen_at": sa.func.now(),
        },
    )
    connection.execute(statement, rows)


def _refuse_bad(choices: Mapping[str, str | None], specification: Specification) -> None:
    taken = [column for column in choices.values() if column is not None]
    unknown = sorted(set(taken) - specification.columns.keys())
    if unknown:
        raise UserError(f"The data set has no column {', '.join(unknown)}.")
    twice = sorted({column for column in taken if taken.count(column) > 1})
    if twice:
        raise UserError(f"Two headings cannot both be {', '.join(twice)}. Leave one of them out.")
