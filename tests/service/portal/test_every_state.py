"""Every page shows every state of a file and of a month, for whoever may see it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from core.access.people import person_of
from core.database import tables
from core.database.acting import acting_for
from core.submissions.commands.store_upload import UploadDetails, store_upload
from core.vocabulary.heading_look import Look
from core.vocabulary.states.submissions import (
    FILE_MACHINE,
    SUBMISSION_MACHINE,
    FileState,
    SubmissionState,
)
from tests.service.month import APRIL, HEADINGS, Service, visit, way
from tests.service.permissions.permission_pages import page_at, pages_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

PAGES = ("home", "upload", "submission", "charges")
AFTER_A_RUN = (SubmissionState.SUBMITTED, SubmissionState.RESET_ASKED, SubmissionState.DRAFT)


@pytest.fixture
def pages(portal_engine: Engine) -> Iterator[Engine]:
    with pages_on(portal_engine):
        yield portal_engine


def troubles(engine: Engine, user: int, addresses: tuple[str, ...] = PAGES) -> dict[str, str]:
    """The pages that fail, with what they fail of."""
    with acting_for(engine, user, None).connect() as connection:
        person = person_of(connection, user)
    shown = {address: page_at(person, address, "ZX1", APRIL) for address in addresses}
    return {name: page.exception[0].value for name, page in shown.items() if page.exception}


def lead(service: Service, file_id: int, state: FileState) -> None:
    """Puts a file where work would leave it, by declared transitions alone."""
    files = tables.files
    with service.engine.begin() as connection:
        start = connection.execute(sa.select(files.c.state).where(files.c.id == file_id))
        for step in way(FILE_MACHINE.follows, start.scalar_one(), state):
            values: dict[str, Any] = {"state": step}
            connection.execute(files.update().where(files.c.id == file_id).values(values))


@pytest.mark.parametrize("state", FileState)
def test_a_file_in_each_state(service: Service, pages: Engine, state: FileState) -> None:
    file_id = service.upload(service.month(), visit(1, "T4A"))
    lead(service, file_id, state)
    assert troubles(pages, service.amira, ("upload", "submission")) == {}


def test_a_file_whose_headings_are_to_be_looked_at(service: Service, pages: Engine) -> None:
    content = f"{HEADINGS},Strange\n{visit(1, 'T4')},x\n".encode()
    month = service.month()
    arrival = UploadDetails("strange.csv", look=Look.NEW)
    file_id = store_upload(
        service.engine, service.store, month, arrival, io.BytesIO(content), user_id=service.amira
    )
    assert service.check(file_id) == FileState.UNCONFIRMED
    assert troubles(pages, service.amira, ("home", "upload", "submission")) == {}


@pytest.mark.parametrize("state", SubmissionState)
def test_a_month_in_each_state(service: Service, pages: Engine, state: SubmissionState) -> None:
    month = service.month()
    service.ready(month, *(visit(number, "T4") for number in range(3)))
    if state in AFTER_A_RUN:
        service.run(month, "draft" if state == SubmissionState.DRAFT else "final")
    elif state != SubmissionState.OPEN:
        service.request(month, "draft")
    if service.submission(month).state != state:
        assert state in SUBMISSION_MACHINE.states
        service.move_to_state(month, state, failure="It stopped." if state == "failed" else None)
    assert troubles(pages, service.amira) == {}
    host = service.users["E09000030"]
    assert troubles(pages, host, ("home", "hosted")) == {}
    assert troubles(pages, service.person("erin@grouper.example"), ("resets",)) == {}
