"""Checks files of open months again after the reader has changed.

Submitted months stay unchanged. In an open month records of two readings could meet, and one
patient could be taken for two; so its files are checked again automatically.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from core.database import tables
from core.engine.reading.revision import READER_REVISION
from core.submissions.commands.uploads import CHANGEABLE, read_again
from core.vocabulary.states.submissions import FileState

_files, _months = tables.files, tables.submissions
OUTDATED: sa.ColumnElement[bool] = sa.and_(
    _files.c.reader < READER_REVISION, _files.c.state.in_((FileState.READY, FileState.IN_ERROR))
)
"""A file whose records come from an earlier reading."""


def read_outdated_again(engine: Engine) -> int:
    """Asks for a check of every outdated file of a month that can still change; returns the number.

    Each file has a transaction of its own, so that work on one month does not wait for all.
    """
    with engine.connect() as connection:
        file_ids = _outdated(connection)
    for file_id in file_ids:
        with engine.begin() as connection:
            if _outdated(connection, file_id):
                read_again(connection, file_id)
    return len(file_ids)


def _outdated(connection: Connection, file_id: int | None = None) -> list[int]:
    query = (
        sa.select(_files.c.id)
        .join(_months, _months.c.id == _files.c.submission_id)
        .where(OUTDATED, _months.c.state.in_(CHANGEABLE))
        .order_by(_files.c.id)
    )
    if file_id is not None:
        query = query.where(_files.c.id == file_id).with_for_update(of=_months)
    return list(connection.execute(query).scalars())
