"""Checks files of open months again after the reader, or the version of their data set, changed.

Submitted months stay unchanged. In an open month records of two readings or of two versions could
meet, and one patient could be taken for two; so its files are checked again automatically.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from core.configurations.in_force import version_of_submission
from core.database import tables
from core.engine.reading.revision import READER_REVISION, TAKEN_OVER_READER
from core.submissions.commands.uploads import CHANGEABLE, NEW_VERSION, READ_AGAIN, read_again
from core.vocabulary.states.submissions import FileState

_files, _months = tables.files, tables.submissions
_CHECKED = (FileState.READY, FileState.IN_ERROR)
_IS_HERE = _files.c.reader > TAKEN_OVER_READER
_OTHER_VERSION = sa.and_(
    _IS_HERE,
    _files.c.dataset_id.is_distinct_from(version_of_submission()),
    _files.c.state.in_((*_CHECKED, FileState.REJECTED, FileState.UNCONFIRMED)),
)
OUTDATED: sa.ColumnElement[bool] = sa.or_(
    sa.and_(_IS_HERE, _files.c.reader < READER_REVISION, _files.c.state.in_(_CHECKED)),
    _OTHER_VERSION,
)
"""SQL on files and their months: a file that was read by an earlier reader, or judged under another
version than its month follows."""


def read_outdated_again(engine: Engine) -> int:
    """Asks for a check of every outdated file of a month that can still change; returns the number.

    Each file has a transaction of its own, so that work on one month does not wait for all.
    """
    with engine.connect() as connection:
        file_ids = [file_id for file_id, _ in _outdated(connection)]
    for file_id in file_ids:
        with engine.begin() as connection:
            for _, other_version in _outdated(connection, file_id):
                reason = NEW_VERSION if other_version else READ_AGAIN
                read_again(connection, file_id, reason=reason)
    return len(file_ids)


def _outdated(connection: Connection, file_id: int | None = None) -> list[tuple[int, bool]]:
    """The files, each with whether its month follows another version."""
    query = (
        sa.select(_files.c.id, _OTHER_VERSION)
        .join(_months, _months.c.id == _files.c.submission_id)
        .where(OUTDATED, _months.c.state.in_(CHANGEABLE))
        .order_by(_files.c.id)
    )
    if file_id is not None:
        query = query.where(_files.c.id == file_id).with_for_update(of=_months)
    return [(row[0], bool(row[1])) for row in connection.execute(query)]
