"""Files of months under way that were read by an earlier reader are read again by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.access.scope import EVERYTHING
from core.database import tables
from core.engine.reading.revision import READER_REVISION, TAKEN_OVER_READER
from core.submissions.commands.requests import NotReady
from core.submissions.commands.rereading import read_outdated_again
from core.submissions.queries.file_list import files_of
from core.vocabulary.states.submissions import FileState, SubmissionState
from tests.service.month import visit

if TYPE_CHECKING:
    from tests.service.month import Service


def read_before(service: Service, file_id: int) -> None:
    """Leaves a file as an installation has it that was just upgraded."""
    with service.engine.begin() as connection:
        of_file = tables.files.c.id == file_id
        connection.execute(tables.files.update().where(of_file).values(reader=1))


def reader_of(service: Service, file_id: int) -> int:
    return int(service.one(sa.select(tables.files.c.reader).where(tables.files.c.id == file_id)))


def test_a_check_says_which_reader_made_its_records(service: Service) -> None:
    file_id = service.ready(service.month(), visit(1, "T2"))
    assert reader_of(service, file_id) == READER_REVISION
    assert read_outdated_again(service.engine) == 0
    assert service.state(file_id) == FileState.READY


@pytest.mark.parametrize("codes", [["T2"], ["XX"]])
def test_a_file_of_an_open_month_is_checked_again_and_says_so(
    service: Service, codes: list[str]
) -> None:
    month = service.month()
    file_id = service.upload(month, visit(1, *codes))
    before = service.check(file_id)
    read_before(service, file_id)
    assert read_outdated_again(service.engine) == 1
    with service.engine.connect() as connection:
        [file] = files_of(connection, EVERYTHING, month)
    assert (file.state, file.outdated) == (FileState.CHECKING, True)
    assert service.events()[-1] == "file.outdated"
    audit = tables.audit
    last = sa.select(audit.c.reason).order_by(audit.c.id.desc()).limit(1)
    assert service.one(last) == "files are read more exactly now"
    assert read_outdated_again(service.engine) == 0
    assert service.check(file_id) == before
    assert reader_of(service, file_id) == READER_REVISION


def test_what_another_service_read_is_never_checked_again(service: Service) -> None:
    """Its content is not here: a check would find nothing, and take its records away."""
    month = service.month()
    file_id = service.ready(month, visit(1, "T2"))
    taken_over = {"reader": TAKEN_OVER_READER, "dataset_id": None}
    with service.engine.begin() as connection:
        of_file = tables.files.c.id == file_id
        connection.execute(tables.files.update().where(of_file).values(taken_over))
    assert read_outdated_again(service.engine) == 0
    with service.engine.connect() as connection:
        [file] = files_of(connection, EVERYTHING, month)
    assert (file.state, file.outdated) == (FileState.READY, False)
    service.run(month, "final")


def test_a_month_is_not_calculated_from_records_of_two_readers(service: Service) -> None:
    month = service.month()
    file_id = service.ready(month, visit(1, "T2"))
    read_before(service, file_id)
    with pytest.raises(NotReady, match="was read by an earlier version"):
        service.request(month, "final")
    read_outdated_again(service.engine)
    service.check(file_id)
    service.run(month, "final")
    assert service.submission(month).state == SubmissionState.SUBMITTED


def test_a_draft_is_taken_back(service: Service) -> None:
    month = service.month()
    file_id = service.ready(month, visit(1, "T2"))
    service.run(month, "draft")
    read_before(service, file_id)
    assert read_outdated_again(service.engine) == 1
    submission = service.submission(month)
    assert (submission.state, submission.run_id) == (SubmissionState.OPEN, None)


def test_what_is_submitted_stays_as_it_is(service: Service) -> None:
    month = service.month()
    file_id = service.ready(month, visit(1, "T2"))
    service.run(month, "final")
    read_before(service, file_id)
    assert read_outdated_again(service.engine) == 0
    assert service.submission(month).state == SubmissionState.SUBMITTED
    assert (service.state(file_id), reader_of(service, file_id)) == (FileState.READY, 1)
