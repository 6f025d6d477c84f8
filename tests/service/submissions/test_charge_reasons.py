"""Charges as a person may see them, and why each is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.access.people import person_of
from core.database.acting import acting_for
from core.submissions.queries.charge_explanation import Explanation, explain
from core.submissions.queries.charge_list import (
    ChargeFilter,
    ChargeLine,
    VisibleRun,
    episode_of,
    lines_of,
    sums_of,
    visible_runs,
)
from core.submissions.queries.lost_codes import lost_codes
from tests.service.month import HACKNEY, Service, visit

if TYPE_CHECKING:
    from sqlalchemy import Engine

TOWER_HAMLETS_CODE = "E09000030"


def seen(engine: Engine, user: int) -> list[VisibleRun]:
    with acting_for(engine, user, None).connect() as connection:
        return visible_runs(connection, person_of(connection, user).scope)


def lines(engine: Engine, user: int, chosen: ChargeFilter) -> list[ChargeLine]:
    with acting_for(engine, user, None).connect() as connection:
        [run] = visible_runs(connection, person_of(connection, user).scope)
        return lines_of(connection, run, chosen)


def why(engine: Engine, user: int, at: int = 0) -> Explanation:
    with acting_for(engine, user, None).connect() as connection:
        [run] = visible_runs(connection, person_of(connection, user).scope)
        line = lines_of(connection, run, ChargeFilter())[at]
        assert line in episode_of(connection, run, line)
        return explain(connection, run, line)


def test_who_sees_which_runs(service: Service, portal_engine: Engine) -> None:
    month = service.month()
    service.ready(month, visit(1, "T4"), visit(2, "T4", lsoa=HACKNEY))
    service.run(month, "draft")
    carys = service.users[TOWER_HAMLETS_CODE]
    assert [run.kind for run in seen(portal_engine, service.amira)] == ["draft"]
    assert seen(portal_engine, carys) == []
    service.run(month, "final")
    [own], [theirs] = seen(portal_engine, service.amira), seen(portal_engine, carys)
    assert (own.own, theirs.own, theirs.payers) == (True, False, (TOWER_HAMLETS_CODE,))
    assert seen(portal_engine, service.users["ZX2"]) == []
    assert len(lines(portal_engine, service.amira, ChargeFilter())) == 2
    assert len(lines(portal_engine, carys, ChargeFilter())) == 1
    assert lines(portal_engine, carys, ChargeFilter(commissioner="E09000012")) == []


def test_sums_are_those_of_the_lines(service: Service, portal_engine: Engine) -> None:
    month = service.month()
    service.ready(month, *(visit(n, "T4", "T7", clinic=f"ZX1-{'AB'[n % 2]}") for n in range(7)))
    service.run(month, "final")
    with acting_for(portal_engine, service.amira, None).connect() as connection:
        [run] = visible_runs(connection, person_of(connection, service.amira).scope)
        sums = sums_of(connection, run)
        every = lines_of(connection, run, ChargeFilter())
        some = lines_of(connection, run, ChargeFilter(clinic="ZX1-A"))
    assert sum(each.pence for each in sums) == sum(line.amount_pence for line in every)
    assert sum(each.charges for each in sums) == len(every)
    of_clinic = sum(each.charges for each in sums if each.clinic == "ZX1-A")
    assert 0 < len(some) == of_clinic < len(every)


def test_why_tells_of_records_and_what_was_overwritten(
    service: Service, portal_engine: Engine
) -> None:
    month = service.month()
    first = (visit(1, "T4", "P1A"), visit(9, "T4"))
    service.ready(month, *first, name="one.csv")
    service.ready(month, visit(1, "T7"), name="two.csv")
    service.run(month, "final")
    found = why(portal_engine, service.amira)
    assert [(row.file, row.row) for row in found.records] == [("one.csv", 2), ("two.csv", 2)]
    merged = {each.column: (each.value, each.file) for each in found.merged}
    assert merged["SHHAPT 1"] == ("T7", "two.csv")
    assert merged["SHHAPT 2"] == ("P1A", "one.csv")
    [lost] = found.lost
    assert (lost.column, lost.value, lost.by, lost.file) == ("SHHAPT 1", "T4", "T7", "one.csv")
    assert lost.pence > 0
    assert "lives there" in found.payer


def test_a_commissioner_is_told_why_but_sees_no_records(
    service: Service, portal_engine: Engine
) -> None:
    month = service.month()
    service.ready(month, visit(1, "T4"), visit(1, "T7"))
    service.run(month, "final")
    found = why(portal_engine, service.users[TOWER_HAMLETS_CODE])
    assert found.records == found.merged == found.lost == ()
    assert found.payer == "Tower Hamlets pays, because the patient lives there."
    assert found.factor


def test_codes_that_were_lost_are_listed_with_what_they_would_have_added(
    service: Service, portal_engine: Engine
) -> None:
    month = service.month()
    service.ready(month, visit(1, "T4", "P1A"), visit(2, "T1"), visit(9, "T4"), name="one.csv")
    service.ready(month, visit(1, "T7"), visit(2, "T2"), name="two.csv")
    service.run(month, "final")
    with acting_for(portal_engine, service.amira, None).connect() as connection:
        [run] = visible_runs(connection, person_of(connection, service.amira).scope)
        found = lost_codes(connection, run)
    assert [(each.patient_id, each.field, each.value, each.row) for each in found] == [
        ("1", "SHHAPT 1", "T4", 2),
        ("2", "SHHAPT 1", "T1", 3),
    ]
    assert found[0].pence == why(portal_engine, service.amira).lost[0].pence > 0
    assert found[1].pence == 0  # T1 with T2 is T2 alone
    with acting_for(portal_engine, service.users[TOWER_HAMLETS_CODE], None).connect() as connection:
        [theirs] = visible_runs(
            connection, person_of(connection, service.users[TOWER_HAMLETS_CODE]).scope
        )
        assert lost_codes(connection, theirs) == []
