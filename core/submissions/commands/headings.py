"""What a provider's headings stand for, where matching alone would not do; remembered for it."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.access.audit import note
from core.configurations.datasets import current_specification
from core.database import tables
from core.engine.dataset.fields import heading_key
from core.engine.dataset.specification import Specification
from core.submissions.commands.uploads import check_anew
from core.submissions.months import get_submission
from core.user_errors import UserError
from core.vocabulary.heading_look import Look


def choices_of(
    connection: Connection, provider_id: int, specification: Specification
) -> dict[str, str | None]:
    """Heading (as ``heading_key``) to column; None: left out. Columns that are no more are not."""
    chosen = tables.heading_choices
    query = sa.select(chosen.c.heading, chosen.c.column).where(chosen.c.provider_id == provider_id)
    return {
        row.heading: row.column
        for row in connection.execute(query)
        if row.column is None or row.column in specification.columns
    }


def choose_headings(
    connection: Connection,
    file_id: int,
    choices: Mapping[str, str | None],
    *,
    user_id: int | None,
) -> None:
    """Remembers the choices for the provider of the file, and has the file checked with them.

    ``choices``: heading to column of the standard layout; None: left out. Raises ``UserError``
    where there is none, no such column, or two headings are to be the same one.
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
    """As ``choose_headings``, also where everything is as it was matched: somebody has looked."""
    submission_id = check_anew(connection, file_id, user_id=user_id, look=Look.NEVER)
    _refuse_bad({**_read(connection, file_id), **choices}, current_specification(connection))
    if choices:
        _remember(connection, submission_id, choices, user_id)
    note(connection, "headings chosen", f"file:{file_id}", user_id=user_id, choices=dict(choices))


def _read(connection: Connection, file_id: int) -> dict[str, str | None]:
    """What the headings of a file were taken for; those of transposed codes stand for no column."""
    query = sa.select(tables.files.c.headings).where(tables.files.c.id == file_id)
    headings = connection.execute(query).scalar() or []
    columns = current_specification(connection).columns
    return {each["heading"]: each["column"] for each in headings if each["column"] in columns}


def _remember(
    connection: Connection,
    submission_id: int,
    choices: Mapping[str, str | None],
    user_id: int | None,
) -> None:
    provider_id = get_submission(connection, submission_id).provider_id
    rows = [
        {
            "provider_id": provider_id,
            "heading": heading_key(heading),
            "column": column,
            "chosen_by": user_id,
        }
        for heading, column in choices.items()
    ]
    statement = insert(tables.heading_choices)
    statement = statement.on_conflict_do_update(
        index_elements=["provider_id", "heading"],
        set_={
            "column": statement.excluded["column"],
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
