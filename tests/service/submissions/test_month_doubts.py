"""The wrong month is never final without a word: records of others, visits charged before."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.access.scope import scope_of
from core.access.users import add_user
from core.accounts.organisations import find_organisation
from core.database import tables
from core.database.acting import acting_for
from core.reports.collating.charge_lines import read_lines
from core.settings import Settings, use_settings
from core.submissions.commands.requests import NotReady
from core.submissions.month_doubts import MonthDoubts, decision_on, doubts_of
from core.submissions.queries.charge_list import ChargeFilter, lines_of, visible_runs
from tests.service.month import APRIL, HACKNEY, Service, visit
from tests.subscribed import subscribe

if TYPE_CHECKING:
    from sqlalchemy import Engine

MAY = dt.date(2017, 5, 1)
IN_APRIL = [visit(number, "T4") for number in range(4)]
IN_MAY = [visit(number, "T4", date="2017-05-02") for number in range(4)]


def doubts(service: Service, submission: int) -> MonthDoubts:
    with service.engine.connect() as connection:
        return doubts_of(connection, service.submission(submission))


def refusal(service: Service, submission: int) -> str:
    with pytest.raises(NotReady) as refused:
        service.request(submission, "final", reason="  ")
    [obstacle] = refused.value.obstacles
    assert obstacle.code == "month-doubtful"
    assert obstacle.about == "month"
    return obstacle.text


def reader(service: Service, code: str) -> int:
    with service.engine.begin() as connection:
        user = add_user(connection, code, code, None, user_id=None)
        organisation = find_organisation(connection, "commissioner", code)
        subscribe(connection, user, "commissioner", organisation.id)
    return user


def amount(service: Service, run_id: int) -> int:
    runs = tables.runs.c
    return int(service.one(sa.select(runs.amount_pence).where(runs.id == run_id)))


def test_a_month_of_its_own_records_needs_no_reason(service: Service) -> None:
    april, may = service.month(), service.month(month=MAY)
    service.ready(april, *IN_APRIL)
    service.run(april, "final", reason=None)
    service.ready(may, *IN_MAY)
    assert doubts(service, may) == MonthDoubts(MAY, records=4)
    run_id = service.run(may, "final", reason=None)
    with service.engine.connect() as connection:
        assert decision_on(connection, run_id) is None


def test_visits_charged_before_ask_for_a_reason_from_the_first(service: Service) -> None:
    april, may = service.month(), service.month(month=MAY)
    service.ready(april, *IN_APRIL)
    charged = amount(service, service.run(april, "final"))
    service.ready(may, *[visit(n, "T4", date="2017-05-02") for n in range(99)], IN_APRIL[0])
    before = doubts(service, may)
    assert (before.outside, before.visits, before.pence) == (1, 1, charged // 4)
    text = refusal(service, may)
    assert "1 visit was charged in April 2017" in text
    assert "1 of 100 records lies outside May 2017" in text
    run_id = service.run(may, "final", reason="It came too late for April.")
    with service.engine.connect() as connection:
        decision = decision_on(connection, run_id)
    assert decision is not None
    assert decision.in_full.endswith("by Amira Okafor: It came too late for April.")
    assert "1 visit was charged in other months before" in decision.in_full


def test_a_draft_asks_for_nothing(service: Service) -> None:
    april, may = service.month(), service.month(month=MAY)
    service.ready(april, *IN_APRIL)
    service.run(april, "final")
    service.ready(may, *IN_APRIL)
    service.run(may, "draft", reason=None)
    assert "4 visits were charged in April 2017" in refusal(service, may)


@pytest.mark.parametrize(("outside", "asks"), [(4, False), (5, True)])
def test_the_share_of_records_of_other_months(service: Service, outside: int, asks: bool) -> None:
    use_settings(Settings(outside_share=0.05))
    try:
        may = service.month(month=MAY)
        own = [visit(n, "T4", date="2017-05-31") for n in range(100 - outside)]
        service.ready(may, *own, *[visit(n, "T4", date="2017-06-01") for n in range(outside)])
        if asks:
            assert f"{outside} of 100 records lie outside May 2017." in refusal(service, may)
        else:
            service.request(may, "final", reason=None)
    finally:
        use_settings(None)


def test_a_draft_of_another_month_or_another_provider_charged_nothing(service: Service) -> None:
    april, may, other = service.month(), service.month(month=MAY), service.month("ZX2")
    service.ready(april, *IN_APRIL)
    service.run(april, "draft")
    elsewhere = [visit(number, "T4", clinic="ZX2-A") for number in range(4)]
    service.ready(other, *elsewhere)
    service.run(other, "final")
    service.ready(may, *IN_APRIL)
    assert doubts(service, may).before == ()


def test_the_same_patient_on_another_day_or_in_another_clinic_is_another_visit(
    service: Service,
) -> None:
    april, may = service.month(), service.month(month=MAY)
    service.ready(april, *IN_APRIL)
    service.run(april, "final")
    service.ready(may, visit(1, "T4", clinic="ZX1-B"), visit(1, "T4", date="2017-04-04"))
    assert doubts(service, may).before == ()


def test_who_sees_the_charge_sees_where_it_was_charged_before(
    service: Service, portal_engine: Engine
) -> None:
    april, may = service.month(), service.month(month=MAY)
    service.ready(april, *IN_APRIL)
    service.run(april, "final")
    service.ready(may, IN_APRIL[0], visit(77, "T4", date="2017-05-02", lsoa=HACKNEY))
    run_id = service.run(may, "final", reason="It is right.")
    seen = {}
    for code in ("E09000030", "E09000012"):
        user = reader(service, code)
        with acting_for(portal_engine, user, None).connect() as connection:
            runs = visible_runs(connection, scope_of(connection, user))
            [run] = [each for each in runs if each.run_id == run_id]
            lines = lines_of(connection, run, ChargeFilter())
            seen[code] = {(line.patient_id, line.before) for line in lines}
            noted = connection.execute(sa.select(tables.visits_before.c.patient_id)).scalars().all()
            assert set(noted) == ({"0"} if code == "E09000030" else set())
            decision = decision_on(connection, run_id)
            assert decision is not None
            assert decision.text.endswith("Released all the same by the provider: It is right.")
            assert not re.search(r"[0-9]", decision.text)  # figures are of the other one too
    assert seen == {"E09000030": {("0", "April 2017")}, "E09000012": {("77", None)}}
    with service.engine.connect() as connection:
        lines = read_lines(connection, run_id, ())
    assert dict(
        zip(*(lines[name].to_pylist() for name in ("patient_id", "before")), strict=True)
    ) == {
        "0": "April 2017",
        "77": None,
    }


def test_an_opened_month_has_charged_nothing(service: Service) -> None:
    """The charges of a month that was reset are replaced or gone: they are nobody's double."""
    april, may = service.month(), service.month(month=MAY)
    service.ready(april, *IN_APRIL)
    service.run(april, "final")
    with service.engine.begin() as connection:
        runs = tables.runs
        connection.execute(
            runs.update().where(runs.c.submission_id == april).values(state="replaced")
        )
    service.ready(may, *IN_APRIL)
    assert doubts(service, may).before == ()
    assert doubts(service, may).outside == 4
    assert doubts(service, april).month == APRIL


def test_nobody_decides_in_the_name_of_another(service: Service, portal_engine: Engine) -> None:
    month = service.month()
    service.ready(month, *IN_APRIL)
    run_id = service.run(month, "final")
    row = {"run_id": run_id, "reason": "x", "records": 1, "outside": 0, "visits": 0}
    for somebody in (service.dev, None):
        decided = tables.run_decisions.insert().values(**row, decided_by=somebody)
        with (
            pytest.raises(sa.exc.ProgrammingError, match="row-level security"),
            acting_for(portal_engine, service.amira, None).begin() as connection,
        ):
            connection.execute(decided)
    own = tables.run_decisions.insert().values(**row, decided_by=service.amira)
    with acting_for(portal_engine, service.amira, None).begin() as connection:
        connection.execute(own)
