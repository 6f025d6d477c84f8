"""Reports that are made every month, that expire, and that are never given out stale."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.access.scope import NotAllowed
from core.database import tables
from core.files.store import FileMissingError
from core.reports.expiring import expire_reports
from core.reports.making import (
    Outdated,
    begin_report,
    collate,
    finish_report,
    load_report,
    plan_report,
    write_and_store,
)
from core.reports.outdated import renew_if_outdated
from core.reports.report_list import get_report
from core.reports.requests import ReportRequest, request_again, request_report
from core.reports.schedules import (
    add_schedule,
    awaited_months,
    end_schedule,
    of_month,
    request_scheduled,
    schedules_of,
)
from core.user_errors import UserError
from core.vocabulary.report_kinds import ReportKind
from core.vocabulary.states.reports import ReportState
from tests.service.month import APRIL, visit

if TYPE_CHECKING:
    from tests.service.month import Service

NOW = dt.datetime(2017, 5, 2, 9, 30, tzinfo=dt.UTC)


def report_of_tower_hamlets(kind: ReportKind = ReportKind.BACKING_DATA) -> ReportRequest:
    """What Tower Hamlets pays."""
    year = kind == ReportKind.ANNUAL_SUMMARY
    return ReportRequest(
        kind=kind,
        side="commissioner",
        organisation="E09000030",
        organisation_name="Tower Hamlets",
        first_month=APRIL,
        last_month=dt.date(2018, 3, 1) if year else APRIL,
        asked_by="Ada",
    )


def own(kind: ReportKind = ReportKind.BACKING_DATA) -> ReportRequest:
    return report_of_tower_hamlets().model_copy(
        update={"kind": kind, "side": "provider", "organisation": "ZX1", "organisation_name": "Lea"}
    )


def submitted(service: Service, provider: str) -> int:
    month = service.month(provider)
    service.ready(month, visit(1, "T2", clinic=f"{provider}-A"))
    service.run(month, "final")
    return month


def make(service: Service, request: ReportRequest, folder: Path) -> int:
    """A report, made from start to end."""
    folder.mkdir(exist_ok=True)
    with service.engine.begin() as connection:
        report_id = request_report(connection, request, user_id=service.amira)
        report = load_report(connection, report_id)
        begin_report(connection, report)
        plan = plan_report(connection, report)
    for part in plan.parts:
        with service.engine.begin() as connection:
            collate(connection, report, part, folder)
    with service.engine.begin() as connection:
        made = write_and_store(connection, report, plan, folder, store=service.store, made_at=NOW)
        finish_report(connection, report, plan, made)
    return report_id


def test_a_report_is_made_once_when_the_last_provider_has_submitted(service: Service) -> None:
    ada = service.users["E09000030"]
    with service.engine.begin() as connection:
        add_schedule(connection, report_of_tower_hamlets(), user_id=ada)
        with pytest.raises(UserError, match="every month already"):
            add_schedule(connection, report_of_tower_hamlets(), user_id=ada)
        awaited = awaited_months(connection, report_of_tower_hamlets(), APRIL)
        assert awaited == {("ZX1", "sexual-health"), ("ZX2", "sexual-health")}
    submitted(service, "ZX1")
    with service.engine.begin() as connection:
        assert request_scheduled(connection, APRIL) == []
    submitted(service, "ZX2")
    with service.engine.begin() as connection:
        [report_id] = request_scheduled(connection, APRIL)
    with service.engine.begin() as connection:
        assert request_scheduled(connection, APRIL) == []
        assert get_report(connection, report_id).request.first_month == APRIL
        [schedule] = schedules_of(connection, ada)
        assert schedule.months_made == 1
        end_schedule(connection, schedule.id, user_id=service.amira)  # not theirs to end
        assert schedules_of(connection, ada)
        end_schedule(connection, schedule.id, user_id=ada)
        assert schedules_of(connection, ada) == []


def test_a_schedule_of_somebody_who_left_makes_nothing(service: Service) -> None:
    with service.engine.begin() as connection:
        add_schedule(connection, own(), user_id=service.users["ZX2"])  # never had the role
        add_schedule(connection, own(), user_id=service.amira)
    submitted(service, "ZX1")
    with service.engine.begin() as connection:
        [report_id] = request_scheduled(connection, APRIL)
        who = sa.select(tables.reports.c.requested_by).where(tables.reports.c.id == report_id)
        assert connection.execute(who).scalar_one() == service.amira


@pytest.mark.parametrize(
    ("month", "first", "last"),
    [
        (dt.date(2017, 4, 1), dt.date(2017, 4, 1), dt.date(2018, 3, 1)),
        (dt.date(2018, 3, 1), dt.date(2017, 4, 1), dt.date(2018, 3, 1)),
        (dt.date(2018, 4, 1), dt.date(2018, 4, 1), dt.date(2019, 3, 1)),
    ],
)
def test_an_annual_report_is_of_the_year_that_holds_the_month(
    month: dt.date, first: dt.date, last: dt.date
) -> None:
    request = of_month(report_of_tower_hamlets(ReportKind.ANNUAL_SUMMARY), month)
    assert (request.first_month, request.last_month) == (first, last)
    assert of_month(report_of_tower_hamlets(), month).last_month == month


def test_a_report_of_a_replaced_run_is_made_again_rather_than_given_out(
    service: Service, tmp_path: Path
) -> None:
    month = service.month()
    service.ready(month, visit(1, "T2"))
    service.run(month, "draft")
    report_id = make(service, own(), tmp_path / "parts")
    with service.engine.begin() as connection:
        [file] = get_report(connection, report_id).files
        assert not renew_if_outdated(connection, file.storage_key, service.amira)
    service.run(month, "draft")
    with service.engine.begin() as connection:
        assert get_report(connection, report_id).outdated
        assert renew_if_outdated(connection, file.storage_key, service.amira)
        found = get_report(connection, report_id)
        assert (found.state, found.outdated) == (ReportState.REQUESTED, False)
        events = len(service.events())
        assert renew_if_outdated(connection, file.storage_key, service.amira), "still outdated"
    assert (len(service.events()), service.events()[-1]) == (events + 1, "report.requested")


def test_a_run_replaced_while_the_report_is_written_makes_it_begin_again(
    service: Service, tmp_path: Path
) -> None:
    month = service.month()
    service.ready(month, visit(1, "T2"))
    service.run(month, "draft")
    with service.engine.begin() as connection:
        report_id = request_report(connection, own(), user_id=service.amira)
        report = load_report(connection, report_id)
        begin_report(connection, report)
        plan = plan_report(connection, report)
        collate(connection, report, plan.parts[0], tmp_path)
        made = write_and_store(connection, report, plan, tmp_path, store=service.store, made_at=NOW)
    service.run(month, "draft")
    with service.engine.begin() as connection, pytest.raises(Outdated):
        finish_report(connection, report, plan, made)
    with service.engine.connect() as connection:
        assert get_report(connection, report_id).state == ReportState.COLLATING


def test_a_report_is_asked_for_again_by_its_own_user_or_an_operator(
    service: Service, tmp_path: Path
) -> None:
    month = service.month()
    service.ready(month, visit(1, "T2"))
    service.run(month, "draft")
    report_id = make(service, own(), tmp_path / "parts")
    for user in (service.users["ZX2"], service.users["E09000030"]):
        with service.engine.begin() as connection, pytest.raises(NotAllowed):
            request_again(connection, report_id, user_id=user, reason="mine")
    with service.engine.begin() as connection:
        request_again(connection, report_id, user_id=service.dev, reason="asked by the user")


def test_reports_expire_and_take_their_files_with_them(service: Service, tmp_path: Path) -> None:
    submitted(service, "ZX1")
    request = own(ReportKind.INVOICE_BACKING).model_copy(update={"only": ("E09000030",)})
    report_id = make(service, request, tmp_path / "parts")
    with service.engine.connect() as connection:
        found = get_report(connection, report_id)
    assert [file.name for file in found.files] == [
        "Invoice Backing ZX1 E09000030 2017-04.xlsx",
        "Invoice Backing ZX1 E09000030 2017-04 lines.csv",
    ]
    assert found.expires_at is not None
    assert expire_reports(service.engine, service.store, found.expires_at) == 1
    assert expire_reports(service.engine, service.store, found.expires_at) == 0
    with service.engine.connect() as connection:
        over = get_report(connection, report_id)
    assert (over.state, over.files) == (ReportState.EXPIRED, ())
    for file in found.files:
        with pytest.raises(FileMissingError):
            service.store.size(file.storage_key)
