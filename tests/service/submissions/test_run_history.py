"""Runs of a month beside each other, and a month beside earlier ones."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from core.access.people import person_of
from core.database.acting import acting_for
from core.submissions.commands.uploads import remove_file
from core.submissions.months import get_submission
from core.submissions.queries.month_comparison import compare_with_earlier, notable_change
from core.submissions.queries.run_history import Comparison, compare_runs, runs_of
from core.user_errors import UserError
from core.vocabulary.states.submissions import RunState
from tests.service.month import APRIL, HACKNEY, Service, visit

if TYPE_CHECKING:
    from sqlalchemy import Engine

MAY = dt.date(2017, 5, 1)


def two_runs(service: Service, before: list[str], after: list[str]) -> tuple[int, int]:
    month = service.month()
    file_id = service.ready(month, *before)
    first = service.run(month, "draft")
    with service.engine.begin() as connection:
        remove_file(connection, file_id, user_id=service.amira)
    service.ready(month, *after, name="again.csv")
    return first, service.run(month, "draft")


def compared(engine: Engine, user: int, before: int, after: int) -> Comparison:
    with acting_for(engine, user, None).connect() as connection:
        return compare_runs(connection, person_of(connection, user).scope, before, after)


def test_added_gone_changed_and_same(service: Service, portal_engine: Engine) -> None:
    before = [visit(1, "T4"), visit(2, "T4"), visit(3, "T4")]
    after = [visit(1, "T4"), visit(3, "T4", lsoa=HACKNEY), visit(4, "T4")]
    first, second = two_runs(service, before, after)
    found = compared(portal_engine, service.amira, first, second)
    total = found.total
    assert (total.added, total.gone, total.changed, total.same) == (1, 1, 1, 1)
    assert total.pence == 0
    payers = {each.name: (each.added, each.gone) for each in found.by_commissioner}
    assert payers == {"E09000030": (1, 2), "E09000012": (1, 0)}
    back = compared(portal_engine, service.amira, second, first).total
    assert (back.added, back.gone) == (total.gone, total.added)


def test_the_same_run_twice_has_no_difference(service: Service, portal_engine: Engine) -> None:
    first, second = two_runs(service, [visit(1, "T4")], [visit(1, "T4")])
    total = compared(portal_engine, service.amira, first, second).total
    assert (total.added, total.gone, total.changed, total.same) == (0, 0, 0, 1)


def test_history_and_who_may_see_it(service: Service, portal_engine: Engine) -> None:
    first, second = two_runs(service, [visit(1, "T4")], [visit(2, "T4")])
    month = service.month()
    for user, seen in ((service.amira, [second, first]), (service.users["ZX2"], [])):
        with acting_for(portal_engine, user, None).connect() as connection:
            runs = runs_of(connection, person_of(connection, user).scope, month)
        assert [run.id for run in runs] == seen
        if runs:
            assert [run.state for run in runs] == [RunState.PUBLISHED, RunState.REPLACED]
    for user in (service.users["ZX2"], service.users["E09000030"]):
        with pytest.raises(UserError, match="no run"):
            compared(portal_engine, user, first, second)


def test_a_month_beside_the_month_before(service: Service, portal_engine: Engine) -> None:
    april, may = service.month(month=APRIL), service.month(month=MAY)
    service.ready(april, *(visit(number, "T4") for number in range(30)))
    service.run(april, "final")
    service.ready(may, visit(1, "T4", date="2017-05-03"))
    service.run(may, "draft")
    with acting_for(portal_engine, service.amira, None).connect() as connection:
        scope = person_of(connection, service.amira).scope
        [line] = compare_with_earlier(connection, scope, get_submission(connection, may))
    assert line.now.charges == 1
    assert line.last_month is not None and line.last_month.charges == 30
    assert line.last_year is None
    assert line.stands_out == ("97 % less than April 2017",)


def test_what_is_worth_a_look() -> None:
    assert notable_change(130, 100, APRIL) == "30 % more than April 2017"
    assert notable_change(0, 100, APRIL) == "none now, 100 in April 2017"
    assert notable_change(25, 0, APRIL) == "none in April 2017"
    assert notable_change(120, 100, APRIL) is None
    assert notable_change(5, 1, APRIL) is None
