"""Headings that a provider uses are chosen once, and remembered."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.accounts.scope import NotAllowed
from core.database import tables
from core.database.acting import acting_for
from core.submissions.arrivals import Arrival, take_in
from core.submissions.headings import choose_headings
from core.submissions.states import FileState
from core.submissions.uploads import check_anew
from core.user_errors import UserError
from tests.service.month import APRIL, HEADINGS, Service, visit

if TYPE_CHECKING:
    from sqlalchemy import Engine

STRANGE = HEADINGS.replace("Patient ID", "Local Nr.")


def upload(service: Service, name: str, headings: str = STRANGE, provider: str = "ZX1") -> int:
    content = "\n".join([headings, visit(1, "T4"), ""]).encode()
    month, user = service.month(provider, APRIL), service.users[provider]
    return take_in(
        service.engine, service.store, month, Arrival(name), io.BytesIO(content), user_id=user
    )


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
    file_id = take_in(
        service.engine,
        service.store,
        month,
        Arrival("rows.csv"),
        io.BytesIO(content),
        user_id=service.amira,
    )
    service.check(file_id)
    with service.engine.begin() as connection:
        check_anew(connection, file_id, user_id=service.amira, transpose=True)
    assert service.check(file_id) == FileState.READY
    [row] = service.rows(tables.files.select().where(tables.files.c.id == file_id))
    assert row.transpose
    assert {"heading": "SHHAPT", "column": "SHHAPT"} in row.headings
    slots = sa.table("records_sexual_health", sa.column("SHHAPT 1"), sa.column("SHHAPT 2"))
    assert {tuple(each) for each in service.rows(sa.select(*slots.c))} == {
        ("T4", None),
        (None, "P1A"),
    }
