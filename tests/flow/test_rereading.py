"""After an upgrade the running services read the files of months under way again by themselves."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

from core.database import tables
from core.engine.reading.revision import READER_REVISION
from core.submissions.months import get_submission
from core.vocabulary.states.submissions import FileState, SubmissionState
from tests.small_month import run, small_month

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.flow.conftest import Until

MONTH = dt.date(2018, 2, 1)


def test_a_draft_of_an_earlier_reading_is_read_again_and_then_submitted(
    populated: Engine, tmp_path: Path, until: Until
) -> None:
    month = small_month(populated, tmp_path, MONTH, "draft", rows=60)
    files = tables.files
    this_file = files.c.id == month.file_id  # other tests may have files in the month
    with populated.begin() as connection:
        connection.execute(files.update().where(this_file).values(reader=1))

    def read_again() -> bool:
        query = sa.select(files.c.state, files.c.reader).where(this_file)
        with populated.connect() as connection:
            [row] = connection.execute(query).all()
        return (row.state, row.reader) == (FileState.READY, READER_REVISION)

    until(read_again)
    with populated.connect() as connection:
        assert get_submission(connection, month.submission_id).state == SubmissionState.OPEN
    run(populated, month, "final")
    with populated.connect() as connection:
        assert get_submission(connection, month.submission_id).state == SubmissionState.SUBMITTED
