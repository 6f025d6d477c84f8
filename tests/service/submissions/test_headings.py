"""Headings that a provider uses are chosen once, and remembered."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from core.access.scope import NotAllowed
from core.database import tables
from core.database.acting import acting_for
from core.engine.dataset.corrections import Correction
from core.submissions.commands.headings import (
    choose_heading_row,
    choose_headings,
    confirm_headings,
)
from core.submissions.commands.store_upload import UploadDetails, store_upload
from core.submissions.commands.uploads import correct, recheck_file, remove_file
from core.user_errors import UserError
from core.vocabulary.heading_look import Look
from core.vocabulary.states.submissions import FileState
from tests.service.month import APRIL, HEADINGS, Service, visit

if TYPE_CHECKING:
    from sqlalchemy import Engine

STRANGE = HEADINGS.replace("Patient ID", "Local Nr.")


def upload(
    service: Service,
    name: str,
    headings: str = STRANGE,
    provider: str = "ZX1",
    look: Look = Look.NEVER,
) -> int:
    content = io.BytesIO("\n".join([headings, visit(1, "T4"), ""]).encode())
    month, user = service.month(provider, APRIL), service.users[provider]
    arrival = UploadDetails(name, look=look)
    return store_upload(service.engine, service.store, month, arrival, content, user_id=user)


def test_a_choice_mends_the_file_and_the_next(service: Service, portal_engine: Engine) -> None:
    first = upload(service, "first.csv")
    assert service.check(first) == FileState.REJECTED
    with acting_for(portal_engine, service.amira, None).begin() as connection:
        choose_headings(connection, first, {"Local Nr.": "Patient ID"}, user_id=service.amira)
    assert service.check(first) == FileState.READY
    second = upload(service, "second.csv", STRANGE.replace("Local Nr.", "local_NR"))
    assert service.check(second) == FileState.READY


def test_others_keep_their_own(service: Service) -> None:
    first = upload(service, "first.csv")
    service.check(first)
    with service.engine.begin() as connection:
        choose_headings(connection, first, {"Local Nr.": "Patient ID"}, user_id=service.amira)
    of_ben = upload(service, "other.csv", provider="ZX2")
    assert service.check(of_ben) == FileState.REJECTED
    with service.engine.begin() as connection, pytest.raises(NotAllowed):
        choose_headings(connection, of_ben, {"Local Nr.": "LSOA"}, user_id=service.amira)


@pytest.mark.parametrize(
    ("choices", "text"),
    [
        ({}, "No heading"),
        ({"Local Nr.": "Nonsense"}, "no column Nonsense"),
        ({"a": "LSOA", "b": "LSOA"}, "Two headings cannot both be LSOA"),
    ],
)
def test_what_cannot_be_is_refused(
    service: Service, choices: dict[str, str | None], text: str
) -> None:
    file_id = upload(service, "first.csv")
    service.check(file_id)
    with service.engine.begin() as connection, pytest.raises(UserError, match=text):
        choose_headings(connection, file_id, choices, user_id=service.amira)
    count = tables.heading_choices.select()
    assert service.rows(count) == []


def test_a_file_is_read_as_one_code_a_row(service: Service) -> None:
    headings = "Clinic ID,Patient ID,Attendance Date,LSOA,Gender,SHHAPT"
    month = service.month()
    lines = [visit(1, code).rsplit(",", 1)[0] for code in ("T4", "P1A")]
    content = "\n".join([headings, *lines, ""]).encode()
    file_id = store_upload(
        service.engine,
        service.store,
        month,
        UploadDetails("rows.csv"),
        io.BytesIO(content),
        user_id=service.amira,
    )
    service.check(file_id)
    with service.engine.begin() as connection:
        recheck_file(connection, file_id, user_id=service.amira, transpose=True)
    assert service.check(file_id) == FileState.READY
    [row] = service.rows(tables.files.select().where(tables.files.c.id == file_id))
    assert row.transpose
    assert {"heading": "SHHAPT", "column": "SHHAPT"} in row.headings
    slots = sa.table("records_sexual_health", sa.column("SHHAPT 1"), sa.column("SHHAPT 2"))
    assert {tuple(each) for each in service.rows(sa.select(*slots.c))} == {
        ("T4", None),
        (None, "P1A"),
    }


ALIAS = HEADINGS.replace("Gender", "Sex").replace("SHHAPT 2", "Notes")


def kept(service: Service, file_id: int) -> dict[str, str | None]:
    [row] = service.rows(tables.files.select().where(tables.files.c.id == file_id))
    return {each["heading"]: each["column"] for each in row.headings}


def test_new_headings_are_looked_at_once(service: Service) -> None:
    first = upload(service, "first.csv", ALIAS, look=Look.NEW)
    assert service.check(first) == FileState.UNCONFIRMED
    assert service.rows(tables.file_chunks.select()) == []
    assert kept(service, first)["Sex"] == "Gender"
    assert kept(service, first)["Notes"] is None
    told = tables.events.select().where(tables.events.c.name == "file.unconfirmed")
    [event] = service.rows(told)
    assert event.payload["new"] == 2
    said = {"Sex": "Gender", "Notes": "SHHAPT 2"}
    with service.engine.begin() as connection:
        confirm_headings(connection, first, said, user_id=service.amira)
    assert service.check(first) == FileState.READY
    assert kept(service, first)["Notes"] == "SHHAPT 2"
    second = upload(service, "second.csv", ALIAS.lower(), look=Look.NEW)
    assert service.check(second) == FileState.READY


def test_those_of_the_data_set_are_not_asked_about(service: Service) -> None:
    assert service.check(upload(service, "a.csv", HEADINGS, look=Look.NEW)) == FileState.READY
    shouted = HEADINGS.upper().replace(" ", "_")
    assert service.check(upload(service, "b.csv", shouted, look=Look.NEW)) == FileState.READY


def test_whoever_wants_to_sees_them_always(service: Service) -> None:
    file_id = upload(service, "a.csv", HEADINGS, look=Look.ALWAYS)
    assert service.check(file_id) == FileState.UNCONFIRMED
    with service.engine.begin() as connection:
        confirm_headings(connection, file_id, {}, user_id=service.amira)
    assert service.check(file_id) == FileState.READY
    assert service.rows(tables.heading_choices.select()) == []


def test_what_waits_for_a_look_can_be_taken_away_but_not_corrected(service: Service) -> None:
    file_id = upload(service, "a.csv", ALIAS, look=Look.NEW)
    service.check(file_id)
    with service.engine.begin() as connection, pytest.raises(UserError, match="unconfirmed"):
        correct(connection, file_id, [Correction("Gender", "1", "2", None)], user_id=service.amira)
    with service.engine.begin() as connection:
        remove_file(connection, file_id, user_id=service.amira)
    [row] = service.rows(tables.files.select().where(tables.files.c.id == file_id))
    assert row.state == FileState.REMOVED
    assert service.events()[-1] == "file.removed"


def test_a_choice_is_not_another_headings_column(service: Service) -> None:
    file_id = upload(service, "a.csv", ALIAS, look=Look.NEW)
    service.check(file_id)
    with service.engine.begin() as connection, pytest.raises(UserError, match="both be Gender"):
        confirm_headings(connection, file_id, {"Notes": "Gender"}, user_id=service.amira)


def test_one_code_a_row_is_proposed_before_the_check(service: Service) -> None:
    headings = "Clinic ID,Patient ID,Attendance Date,LSOA,Gender,Episode_Activity,"
    file_id = upload(service, "rows.csv", headings, look=Look.NEW)
    assert service.check(file_id) == FileState.UNCONFIRMED
    with service.engine.begin() as connection:
        recheck_file(connection, file_id, user_id=service.amira, transpose=True)
    assert service.check(file_id) == FileState.READY


def content_of(service: Service, *lines: str, look: Look = Look.NEW) -> int:
    """A file of these lines, sent from the portal."""
    stream = io.BytesIO("\n".join([*lines, ""]).encode())
    month = service.month("ZX1", APRIL)
    arrival = UploadDetails("file.csv", look=look)
    return store_upload(
        service.engine, service.store, month, arrival, stream, user_id=service.users["ZX1"]
    )


def the_file(service: Service, file_id: int) -> sa.Row[Any]:
    [row] = service.rows(tables.files.select().where(tables.files.c.id == file_id))
    return row


def test_a_required_heading_that_is_missing_is_asked_for(
    service: Service, portal_engine: Engine
) -> None:
    file_id = upload(service, "first.csv", look=Look.NEW)
    assert service.check(file_id) == FileState.UNCONFIRMED
    codes = service.rows_of_one(sa.select(tables.errors.c.code))
    assert set(codes) == {"missing-column", "unknown-column"}
    assert the_file(service, file_id).errors == 1
    with acting_for(portal_engine, service.amira, None).begin() as connection:
        confirm_headings(connection, file_id, {"Local Nr.": "Patient ID"}, user_id=service.amira)
    assert service.check(file_id) == FileState.READY
    assert service.rows_of_one(sa.select(tables.errors.c.code)) == []
    assert the_file(service, file_id).first_rows is None


def test_headings_are_not_confirmed_while_a_required_one_is_missing(service: Service) -> None:
    file_id = upload(service, "first.csv", look=Look.NEW)
    service.check(file_id)
    with pytest.raises(UserError, match="for Patient ID"), service.engine.begin() as connection:
        confirm_headings(connection, file_id, {"Local Nr.": None}, user_id=service.amira)
    assert service.state(file_id) == FileState.UNCONFIRMED


@pytest.mark.parametrize("look", [Look.NEW, Look.NEVER])
@pytest.mark.parametrize(
    "above", [["Activity report April 2017"], ["Report,,", ""], ["", "", '"a\nb"']]
)
def test_the_row_of_the_headings_is_chosen(
    service: Service, portal_engine: Engine, above: list[str], look: Look
) -> None:
    file_id = content_of(service, *above, HEADINGS, visit(1, "T4"), visit(2, "T9x"), look=look)
    told = {Look.NEW: FileState.UNCONFIRMED, Look.NEVER: FileState.REJECTED}
    assert service.check(file_id) == told[look]
    row = len(above) + 1
    found = service.rows(sa.select(tables.errors.c.code, tables.errors.c.row))
    assert list(map(tuple, found)) == [("headings-elsewhere", row)]
    shown = the_file(service, file_id).first_rows
    assert shown[row - 1][:3] == ["Clinic ID", "Patient ID", "Attendance Date"]
    with acting_for(portal_engine, service.amira, None).begin() as connection:
        choose_heading_row(connection, file_id, row, user_id=service.amira)
    assert service.check(file_id) == FileState.IN_ERROR
    found = service.rows(sa.select(tables.errors.c.code, tables.errors.c.row))
    assert list(map(tuple, found)) == [("unknown-code", row + 2)]
    kept = the_file(service, file_id)
    assert (kept.first_rows, kept.rows_there, kept.rows_in_error) == (None, 2, 1)


def test_headings_in_a_chosen_row_want_a_look_if_they_are_new(service: Service) -> None:
    file_id = content_of(service, "Report", HEADINGS.replace("Gender", "Sex"), visit(1, "T4"))
    service.check(file_id)
    with service.engine.begin() as connection:
        choose_heading_row(connection, file_id, 2, user_id=service.amira)
    assert service.check(file_id) == FileState.UNCONFIRMED
    with service.engine.begin() as connection:
        confirm_headings(connection, file_id, {}, user_id=service.amira)
    assert service.check(file_id) == FileState.READY


@pytest.mark.parametrize("row", [0, 51])
def test_headings_stand_among_the_first_rows(service: Service, row: int) -> None:
    file_id = content_of(service, "Report", HEADINGS, visit(1, "T4"))
    service.check(file_id)
    with service.engine.begin() as connection, pytest.raises(UserError, match="first 50 rows"):
        choose_heading_row(connection, file_id, row, user_id=service.amira)
