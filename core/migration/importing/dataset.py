"""The data set of the old service, which has one."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from core.configurations.datasets import Version, dataset_titles, versions_of
from core.database.records import records_table
from core.user_errors import UserError

_NAMED = sa.text(
    "SELECT DISTINCT btrim(body ->> 'dataset') FROM legacy_rows WHERE legacy_table = 'frameworks' "
    "AND gone_at IS NULL"
)


def dataset_taken_over(connection: Connection) -> str:
    """The name of the imported data set that the old service names, or the only one there is.

    Raises ``UserError`` where none or several are.
    """
    imported = list(dataset_titles(connection))
    if not imported:
        raise UserError("No data set has been imported yet.")
    named = [name for name in connection.execute(_NAMED).scalars() if name in imported]
    candidates = named or imported
    if len(candidates) > 1:
        raise UserError(
            f"The months of the old service could be of several data sets: {', '.join(candidates)}."
        )
    return candidates[0]


def versions_taken_over(connection: Connection) -> list[Version]:
    """The versions of the data set of the old service, the latest first."""
    return versions_of(connection, dataset_taken_over(connection))


def records_taken_over(connection: Connection) -> str:
    """The name of the table that holds the records of all its versions."""
    return records_table(versions_taken_over(connection)[0].specification)


def columns_taken_over(connection: Connection) -> list[str]:
    """The columns of all its versions."""
    versions = versions_taken_over(connection)
    return sorted({column for each in versions for column in each.specification.columns})
