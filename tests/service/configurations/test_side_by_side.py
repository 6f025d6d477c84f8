"""Two data sets of one provider stand side by side: each page and report tells them apart."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import openpyxl
import pytest
import sqlalchemy as sa

from core.access.scope import EVERYTHING, scope_of
from core.database import tables
from core.notifications.deadlines import months_due
from core.reports.overview import charged_to
from core.reports.requests import ReportRequest, request_report, runs_to_show
from core.submissions.commands.headings import choices_of, choose_headings
from core.submissions.queries.calendar import calendar_of
from core.submissions.queries.charge_list import visible_runs
from core.submissions.queries.month_comparison import compare_with_earlier
from core.submissions.queries.todo_list import todos_of
from core.submissions.versions import specification_for
from core.user_errors import UserError
from core.vocabulary.report_kinds import ReportKind
from core.vocabulary.states.submissions import FileState
from tests.service.configurations.world import (
    APRIL,
    HEADINGS,
    LESSONS,
    MAY,
    PENCE,
    REQUIRED,
    SWIMS,
    import_set,
    submitted,
    swimming,
    upload,
)
from tests.service.month import visit
from tests.service.reports.whole_report import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service.month import Service

HEALTH = "sexual-health"
COUNCIL = "E09000030"


@pytest.fixture
def both(service: Service) -> Service:
    """April of ZX1 is submitted in both services, and both have a currency T2."""
    swimming(service)
    submitted(service)
    health = service.month(dataset=HEALTH)
    service.ready(health, visit(1, "T2"))
    service.run(health, "final")
    return service


def one_service(service: Service) -> int:
    month = service.month()
    service.ready(month, visit(1, "T2"))
    service.run(month, "final")
    return month


def request(**changes: object) -> ReportRequest:
    values: dict[str, object] = {
        "kind": ReportKind.DETAILED_CHARGES,
        "side": "commissioner",
        "organisation": COUNCIL,
        "organisation_name": "Tower Hamlets",
        "first_month": APRIL,
        "last_month": APRIL,
        "asked_by": "the test",
    }
    return ReportRequest.model_validate(values | changes)


def sheet(service: Service, folder: Path, wanted: ReportRequest) -> list[tuple[object, ...]]:
    """The rows of Detailed Charges."""
    path = folder / "report.xlsx"
    with service.engine.connect() as connection:
        write_whole(connection, wanted, path)
    book = openpyxl.load_workbook(path, read_only=True)
    return list(book["Detailed Charges"].iter_rows(values_only=True))


def test_with_one_data_set_nobody_sees_the_word(service: Service) -> None:
    month = service.submission(one_service(service))
    assert (month.service, month.month_text) == ("", "April 2017")
    with service.engine.connect() as connection:
        assert {each.service for each in calendar_of(connection, EVERYTHING, APRIL)} <= {""}
        assert {run.service for run in visible_runs(connection, EVERYTHING)} <= {""}
        assert {run.service for run in runs_to_show(connection, request())} == {""}
    payloads = service.rows_of_one(sa.select(tables.events.c.payload))
    assert not any(payload.get("service") for payload in payloads)


def test_months_and_what_is_told_of_them_name_their_data_set(both: Service) -> None:
    swim = both.submission(both.month(dataset=SWIMS))
    assert swim.month_text == "April 2017, Swimming lessons"
    events = tables.events
    query = sa.select(events.c.payload).where(events.c.name == "submission.submitted")
    services = [payload["service"] for payload in both.rows_of_one(query.order_by(events.c.id))]
    assert services == ["Swimming lessons", "Sexual health activity (GUMCADv2 and SRHAD)"]


def test_the_calendar_and_the_deadlines_have_a_month_for_each(both: Service) -> None:
    today = dt.date(2017, 6, 18)
    with both.engine.connect() as connection:
        due = [
            (month.month, month.dataset)
            for month in months_due(connection, today)
            if month.provider == "ZX1"
        ]
    assert (MAY, SWIMS) in due
    assert (MAY, HEALTH) in due
    assert not {dataset for month, dataset in due if month == APRIL}
    with both.engine.begin() as connection:
        swim = both.month(month=MAY, dataset=SWIMS)
    assert both.check(upload(both, swim)) == FileState.READY
    both.run(swim, "final")
    with both.engine.connect() as connection:
        still_due = {(m.month, m.dataset) for m in months_due(connection, today)}
    assert (MAY, SWIMS) not in still_due
    assert (MAY, HEALTH) in still_due


def test_a_task_of_one_service_is_not_one_of_the_other(both: Service) -> None:
    swim, health = (both.month(month=MAY, dataset=name) for name in (SWIMS, HEALTH))
    assert both.check(upload(both, swim, "ZX1-A,1,2017-05-03,E01004198,XX,")) == "in error"
    both.ready(health, visit(1, "T2", date="2017-05-03"))
    with both.engine.connect() as connection:
        scope = scope_of(connection, both.amira)
        todos = todos_of(connection, scope, [], MAY)
    assert [(todo.code, todo.dataset) for todo in todos] == [("error", SWIMS), ("to-run", HEALTH)]


def test_a_month_is_compared_with_its_own_service(both: Service) -> None:
    swim = both.month(month=MAY, dataset=SWIMS)
    assert both.check(upload(both, swim)) == FileState.READY
    both.run(swim, "draft")
    with both.engine.connect() as connection:
        lines = compare_with_earlier(connection, EVERYTHING, both.submission(swim))
    before = {line.currency: line.last_month.pence for line in lines if line.last_month}
    assert sum(before.values()) == PENCE


def test_a_council_sees_each_service_by_itself(both: Service) -> None:
    with both.engine.connect() as connection:
        rows = charged_to(connection, EVERYTHING, COUNCIL)
    assert len(rows) == 2
    assert {row.service for row in rows} == {
        "Swimming lessons",
        "Sexual health activity (GUMCADv2 and SRHAD)",
    }


def test_a_report_never_adds_two_services_under_one_code(both: Service, tmp_path: Path) -> None:
    [head, *rows] = sheet(both, tmp_path, request())
    code, name = head.index("Currency"), head.index("Currency name")
    told = {row[code]: row[name] for row in rows if row[0] != "Total"}
    assert told["Swimming lessons: T2"] == "A lesson"
    assert told["Sexual health activity (GUMCADv2 and SRHAD): T2"].startswith("T2 ")
    assert "T2" not in told


def test_a_report_of_one_data_set_has_plain_codes(both: Service, tmp_path: Path) -> None:
    [head, *rows] = sheet(both, tmp_path, request(dataset=SWIMS, service="Swimming lessons"))
    assert {row[head.index("Currency")] for row in rows if row[0] != "Total"} == {"T2", "R"}
    assert head[3:5] == ("Pool", "Pool name")  # its own words


def test_a_data_set_that_says_clinic_keeps_our_words(service: Service, tmp_path: Path) -> None:
    one_service(service)
    [head, *_] = sheet(service, tmp_path, request())
    assert head[3:5] == ("Clinic", "Clinic name")


def test_in_several_data_sets_our_words_stand(both: Service, tmp_path: Path) -> None:
    [head, *_] = sheet(both, tmp_path, request())
    assert head[3:5] == ("Clinic", "Clinic name")


@pytest.mark.parametrize("kind", [ReportKind.SUBMISSION_RECEIPT, ReportKind.DATA_EXTRACT])
def test_what_shows_one_submission_asks_which(both: Service, kind: ReportKind) -> None:
    own = {"side": "provider", "organisation": "ZX1", "organisation_name": "ZX1"}
    wanted = request(kind=kind, **own)
    refused = pytest.raises(
        UserError, match=r"of one data set. Say which one: sexual-health, swims"
    )
    with both.engine.begin() as connection, refused:
        request_report(connection, wanted, user_id=None)
    with both.engine.begin() as connection:
        request_report(connection, wanted.model_copy(update={"dataset": SWIMS}), user_id=None)


def test_a_heading_left_out_of_one_data_set_counts_in_the_other(both: Service) -> None:
    swim = both.month(month=MAY, dataset=SWIMS)
    file_id = upload(both, swim, *(f"{line},x" for line in LESSONS), headings=f"{HEADINGS},Gender")
    assert both.check(file_id) == FileState.READY
    with both.engine.begin() as connection:
        choose_headings(connection, file_id, {"Gender": None}, user_id=both.amira)
    with both.engine.connect() as connection:
        for dataset, left_out in ((SWIMS, {"gender": None}), (HEALTH, {})):
            month = both.submission(both.month(month=MAY, dataset=dataset))
            specification = specification_for(connection, month)
            assert choices_of(connection, month.provider_id, specification) == left_out


def test_a_heading_left_out_counts_once_a_version_has_its_field(both: Service) -> None:
    may = both.month(month=MAY, dataset=SWIMS)
    lines = [f"{line},7" for line in LESSONS]
    file_id = upload(both, may, *lines, headings=f"{HEADINGS},Age")
    assert both.check(file_id) == FileState.READY
    with both.engine.begin() as connection:
        choose_headings(connection, file_id, {"Age": None}, user_id=both.amira)
    import_set(both, REQUIRED)  # Age is a field from July on
    july = both.month(month=dt.date(2017, 7, 1), dataset=SWIMS)
    assert both.check(upload(both, july, *lines, headings=f"{HEADINGS},Age")) == FileState.READY
