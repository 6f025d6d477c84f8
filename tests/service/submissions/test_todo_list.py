"""What a provider is told to do, and the months of its year."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from core.access.people import person_of
from core.database.acting import acting_for
from core.submissions.commands.uploads import remove_file
from core.submissions.queries.calendar import calendar_of
from core.submissions.queries.todo_list import Todo, todos_of
from tests.service.month import APRIL, Service, visit

if TYPE_CHECKING:
    from sqlalchemy import Engine

MID_JUNE = dt.date(2017, 6, 15)


def needs(engine: Engine, user: int, today: dt.date = MID_JUNE) -> list[Todo]:
    with acting_for(engine, user, None).connect() as connection:
        scope = person_of(connection, user).scope
        return todos_of(connection, scope, calendar_of(connection, scope, today), today)


def codes(found: list[Todo]) -> list[str]:
    return [need.code for need in found]


def test_a_month_from_errors_to_submission(service: Service, portal_engine: Engine) -> None:
    month, amira = service.month(), service.amira
    assert codes(needs(portal_engine, amira)) == ["late", "due"]
    bad = service.upload(month, visit(1, "T4A"), visit(2, "T4"))
    service.check(bad)
    first = needs(portal_engine, amira)[0]
    assert first.text == "april.csv has one error to put right."
    assert (first.page, first.provider, first.month) == ("upload", "ZX1", APRIL)

    with service.engine.begin() as connection:
        remove_file(connection, bad, user_id=amira)
    service.ready(month, visit(1, "T4", clinic="ZX1-NEW"))
    assert codes(needs(portal_engine, amira))[0] == "clinic"
    assert "to-run" not in codes(needs(portal_engine, amira))


def test_a_draft_waits_and_a_final_run_does_not(service: Service, portal_engine: Engine) -> None:
    month = service.month()
    service.ready(month, visit(1, "T4"))
    assert codes(needs(portal_engine, service.amira)) == ["to-run", "late", "due"]
    service.run(month, "draft")
    assert codes(needs(portal_engine, service.amira)) == ["draft", "late", "due"]
    service.run(month, "final")
    assert codes(needs(portal_engine, service.amira)) == ["due"]


def test_many_months_late_are_one_line(service: Service, portal_engine: Engine) -> None:
    found = needs(portal_engine, service.amira, dt.date(2018, 1, 2))
    assert found[0].text == "8 months are late, the earliest is April 2017."


def test_nobody_sees_the_months_of_others(service: Service, portal_engine: Engine) -> None:
    service.check(service.upload(service.month(), visit(1, "T4A")))
    of_ben = needs(portal_engine, service.users["ZX2"])
    assert {need.provider for need in of_ben} == {"ZX2"}
    assert needs(portal_engine, service.users["E09000030"]) == []
