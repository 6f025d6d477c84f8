"""Backing Data from the real database: what it shows to whom, its sheets, its totals."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from core.access.scope import EVERYTHING, scope_of
from core.database import tables
from core.files.store import FolderStore
from core.reports.collating.sums import NOBODY, totals_by
from core.reports.following import copy_report, follow_report
from core.reports.kinds.backing_data import COLUMNS
from core.reports.making import (
    begin_report,
    collate,
    finish_report,
    load_report,
    plan_report,
    write_and_store,
)
from core.reports.overview import charged_to
from core.reports.report_list import get_report, reports_of
from core.reports.requests import ReportRequest, Side, months_to_show, request_report, runs_to_show
from core.submissions.transitions import TransitionRefused
from core.support.polling import NoProgress, last
from core.user_errors import UserError
from core.vocabulary.states.reports import ReportState
from tests.service.month import APRIL, HACKNEY, visit
from tests.service.reports.whole_report import collated, write_whole

if TYPE_CHECKING:
    from tests.service.month import Service

MAY = dt.date(2017, 5, 1)
NAMES = {"ZX1": "Lea Valley", "E09000030": "Tower Hamlets", "E09000012": "Hackney"}
LEEDS = "E01011264"


def request_for(
    side: Side, organisation: str, first: dt.date = APRIL, last: dt.date = APRIL
) -> Any:
    return ReportRequest(
        side=side,
        organisation=organisation,
        organisation_name=NAMES[organisation],
        first_month=first,
        last_month=last,
        asked_by="Amira Okafor",
    )


def written(
    connection: Connection, request: ReportRequest, folder: Path, rows_a_sheet: int = 1000
) -> openpyxl.Workbook:
    path = folder / request.file_name
    write_whole(connection, request, path, rows_a_sheet=rows_a_sheet)
    return openpyxl.load_workbook(path)


def backing_data(
    service: Service, request: ReportRequest, folder: Path, rows_a_sheet: int = 1000
) -> openpyxl.Workbook:
    with service.engine.connect() as connection:
        return written(connection, request, folder, rows_a_sheet)


def lines(book: openpyxl.Workbook) -> list[dict[str, Any]]:
    """The rows of all sheets of charges, in their order."""
    sheets = [book[name] for name in book.sheetnames if name.startswith("Backing Data")]
    headings = [column.heading for column in COLUMNS]
    for sheet in sheets:
        assert [cell.value for cell in sheet[1]] == headings
    rows = chain.from_iterable(
        sheet.iter_rows(min_row=2, max_col=len(headings), values_only=True) for sheet in sheets
    )
    return [dict(zip(headings, row, strict=True)) for row in rows]


@pytest.fixture
def april(service: Service) -> int:
    """A final run: two boroughs pay, one visit is of a borough that takes no part."""
    month = service.month()
    service.ready(
        month,
        visit(1, "T2"),
        visit(2, "T4", "C4", lsoa=HACKNEY),
        visit(3, "T2", lsoa=LEEDS),
    )
    return service.run(month, "final")


def test_a_line_says_who_pays_what_for_what_and_why(
    service: Service, april: int, tmp_path: Path
) -> None:
    book = backing_data(service, request_for("provider", "ZX1"), tmp_path)
    first, *others = lines(book)
    assert len(others) == 3
    assert isinstance(first.pop("Reason"), str)
    assert first.pop("Also charged in") is None
    assert first == {
        "Month": dt.datetime(2017, 4, 1),  # noqa: DTZ001 - workbooks know no zones
        "Provider": "ZX1",
        "Provider name": "Lea Valley Sexual Health (fictional)",
        "Clinic": "ZX1-A",
        "Clinic name": first["Clinic name"],
        "Patient ID": "1",
        "Attendance date": dt.datetime(2017, 4, 3),  # noqa: DTZ001
        "Currency": "T2",
        "Rate type": "primary",
        "Rate": 44.57,
        "Factor": 1.17,
        "Amount": 52.15,
        "Commissioner": "E09000030",
        "Commissioner name": "Tower Hamlets",
        "Basis": "resident",
    }


def test_charges_that_one_sheet_does_not_hold_flow_to_the_next(
    service: Service, tmp_path: Path
) -> None:
    month = service.month()
    service.ready(month, *(visit(f"{n:02}", "T2") for n in range(7)))
    service.run(month, "draft")
    for rows_a_sheet, sheets in ((8, 1), (7, 2), (4, 3), (3, 4), (2, 7)):
        book = backing_data(service, request_for("provider", "ZX1"), tmp_path, rows_a_sheet)
        further = [f"Backing Data {number}" for number in range(2, sheets + 1)]
        assert book.sheetnames == ["Summary", "Backing Data", *further, "Notes"]
        assert [line["Patient ID"] for line in lines(book)] == [f"{n:02}" for n in range(7)]
        for name in ("Backing Data", *further):
            assert 2 <= book[name].max_row <= rows_a_sheet
            assert book[name].auto_filter.ref == f"A1:Q{book[name].max_row}"
            assert book[name].freeze_panes == "A2"


@pytest.mark.parametrize("patient", ["=1+1", "+44", "-7", "@SUM(A1)", "007", "http://x.example"])
def test_text_stays_text(service: Service, tmp_path: Path, patient: str) -> None:
    month = service.month()
    service.ready(month, visit(patient, "T2"))
    service.run(month, "draft")
    book = backing_data(service, request_for("provider", "ZX1"), tmp_path)
    cell = book["Backing Data"]["F2"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (patient, "s", None)


def test_a_commissioner_sees_what_it_pays_and_nothing_else(
    service: Service, april: int, tmp_path: Path
) -> None:
    book = backing_data(service, request_for("commissioner", "E09000012"), tmp_path)
    found = lines(book)
    assert {line["Commissioner"] for line in found} == {"E09000012"}
    assert {line["Patient ID"] for line in found} == {"2"}
    everything = [
        str(value) for sheet in book for row in sheet.iter_rows(values_only=True) for value in row
    ]
    assert not [text for text in everything if "E09000030" in text or "Tower Hamlets" in text]


def test_a_draft_is_shown_to_its_provider_alone(service: Service, tmp_path: Path) -> None:
    month = service.month()
    service.ready(month, visit(1, "T2"))
    service.run(month, "draft")
    with service.engine.connect() as connection:
        assert months_to_show(connection, EVERYTHING, "provider", "ZX1") == [APRIL]
        assert months_to_show(connection, EVERYTHING, "commissioner", "E09000030") == []
        assert runs_to_show(connection, request_for("commissioner", "E09000030")) == []
        assert charged_to(connection, EVERYTHING, "E09000030") == []
    notes = dict(
        backing_data(service, request_for("provider", "ZX1"), tmp_path)["Notes"].iter_rows(
            min_row=3, max_col=2, values_only=True
        )
    )
    [run] = [text for label, text in notes.items() if str(label).startswith("Run ")]
    assert ": DRAFT run, number 1" in str(run)


def test_a_commissioner_does_not_learn_of_runs_that_charge_it_nothing(
    service: Service, april: int
) -> None:
    other = service.month("ZX2")
    service.ready(other, visit(1, "T2", clinic="ZX2-A", lsoa=HACKNEY))
    service.run(other, "final")
    with service.engine.connect() as connection:
        seen = runs_to_show(connection, request_for("commissioner", "E09000030"))
        assert [run.provider for run in seen] == ["ZX1"]
        seen = runs_to_show(connection, request_for("commissioner", "E09000012"))
        assert [run.provider for run in seen] == ["ZX1", "ZX2"]
        hackney = charged_to(connection, EVERYTHING, "E09000012")
    assert [(row.month, row.provider, row.charges) for row in hackney] == [
        (APRIL, "ZX1", 2),
        (APRIL, "ZX2", 1),
    ]


def test_lines_that_nobody_pays_are_kept_and_counted(
    service: Service, april: int, tmp_path: Path
) -> None:
    with service.engine.begin() as connection:
        nobody = {"commissioner": None, "amount_pence": 0, "basis": "none"}
        charges = tables.charges
        connection.execute(charges.update().where(charges.c.patient_id == "3").values(nobody))
    book = backing_data(service, request_for("provider", "ZX1"), tmp_path)
    [line] = [line for line in lines(book) if line["Patient ID"] == "3"]
    assert (line["Amount"], line["Commissioner"], line["Basis"]) == (0, None, "none")
    rows = list(book["Summary"].iter_rows(values_only=True))
    assert (None, "Nobody is charged", 1, 0, 1, 0) in rows


def test_a_report_over_several_months_shows_them_in_order(
    service: Service, april: int, tmp_path: Path
) -> None:
    may = service.month(month=MAY)
    service.ready(may, visit(1, "T2", date="2017-05-03"))
    service.run(may, "draft")
    request = request_for("provider", "ZX1", APRIL, MAY)
    assert request.period == "April 2017 to May 2017"
    assert request.file_name == "Backing Data ZX1 2017-04 to 2017-05.xlsx"
    months = [line["Month"].month for line in lines(backing_data(service, request, tmp_path))]
    assert months == [4, 4, 4, 4, 5]


CHARGES = st.lists(
    st.fixed_dictionaries(
        {
            "clinic_id": st.sampled_from(["ZX1-A", "ZX1-B", "=C"]),
            "patient_id": st.text("1=+@ é", min_size=1, max_size=4),
            "attendance_date": st.dates(dt.date(2017, 4, 1), dt.date(2017, 4, 30)),
            "currency": st.sampled_from(["T2", "STIA", "XX"]),
            "rate_type": st.sampled_from(["primary", "additional"]),
            "rate_pence": st.integers(0, 99_999),
            "factor": st.sampled_from([Decimal(1), Decimal("1.17"), Decimal("0.98765")]),
            "amount_pence": st.integers(0, 2_000_000_000),
            "commissioner": st.sampled_from(["E09000030", "E09000012", None]),
            "basis": st.sampled_from(["resident", "host", "none"]),
        }
    ),
    max_size=12,
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(charges=CHARGES, side=st.sampled_from([("provider", "ZX1"), ("commissioner", "E09000012")]))
def test_summaries_agree_with_the_charges_whatever_these_are(
    service: Service, april: int, tmp_path: Path, charges: list[dict[str, Any]], side: Any
) -> None:
    reason = {"run_id": april, "chunk": 0, "reason_id": 0}
    payer = side[1] if side[0] == "commissioner" else None
    with service.engine.connect() as connection:  # rolled back after each example
        for each in charges:
            connection.execute(tables.charges.insert().values(**each, **reason))
        book = written(connection, request_for(*side), tmp_path)
        stored = connection.execute(sa.select(tables.charges)).all()
        sums = collated(connection, request_for(*side), tmp_path).sums()
        totals = totals_by(sums, "currency", "commissioner")
    expected = [row for row in stored if payer in (None, row.commissioner)]
    pounds = sum((Decimal(row.amount_pence) / 100 for row in expected), Decimal(0))
    found = lines(book)
    assert len(found) == len(expected)
    assert sum(Decimal(str(line["Amount"])) for line in found) == pounds
    rows = [row for row in book["Summary"].iter_rows(values_only=True) if row[0] == "Total"]
    assert {(row[4], Decimal(str(row[5]))) for row in rows} == {(len(expected), pounds)}
    assert len(rows) == 3
    counted = Counter((row.currency, row.commissioner or NOBODY) for row in expected)
    assert {total.names: total.charges for total in totals} == counted


def test_a_report_with_nothing_to_show_is_refused(service: Service, april: int) -> None:
    with service.engine.begin() as connection:
        with pytest.raises(UserError, match="no charges for May 2017 yet"):
            request_report(connection, request_for("provider", "ZX1", MAY, MAY), user_id=None)
        with pytest.raises(UserError, match="No provider has submitted charges to Hackney for May"):
            request_report(
                connection, request_for("commissioner", "E09000012", MAY, MAY), user_id=None
            )
    with pytest.raises(ValueError, match="the last month is before the first"):
        request_for("provider", "ZX1", MAY, APRIL)
    assert "report.requested" not in service.events()


def test_the_life_of_a_report(service: Service, april: int, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "reports")
    with service.engine.begin() as connection:
        request = request_for("provider", "ZX1")
        report_id = request_report(connection, request, user_id=service.amira)
        report = load_report(connection, report_id)
        assert report.request == request
        begin_report(connection, report)
        [row] = reports_of(connection, scope_of(connection, service.amira))
        assert (row.state, row.moving) == (ReportState.COLLATING, True)
        with pytest.raises(UserError, match="Being put together"):
            copy_report(store, row, tmp_path / "early.xlsx")
        plan = plan_report(connection, report)
        for part in plan.parts:
            collate(connection, report, part, tmp_path)
        made = write_and_store(
            connection, report, plan, tmp_path, store=store, made_at=dt.datetime.now(dt.UTC)
        )
        assert made.rows == 4
        finish_report(connection, report, plan, made)
    ready = last(follow_report(service.engine, report_id, quiet_seconds=5))
    assert (ready.state, ready.size) == (ReportState.READY, made.size)
    copy_report(store, ready, tmp_path / "mine.xlsx")
    assert len(lines(openpyxl.load_workbook(tmp_path / "mine.xlsx"))) == 4
    with service.engine.begin() as connection:
        assert reports_of(connection, scope_of(connection, service.users["ZX2"])) == []
        with pytest.raises(TransitionRefused):
            begin_report(connection, report)
        with pytest.raises(UserError, match="There is no report 99"):
            get_report(connection, 99)
    assert service.events()[-2:] == ["report.requested", "report.ready"]


def test_a_report_that_failed_tells_its_reference(service: Service, april: int) -> None:
    with service.engine.begin() as connection:
        report_id = request_report(connection, request_for("provider", "ZX1"), user_id=None)
        told = {"state": "failed", "failure": "It could not be made: tell support ABCD1234."}
        connection.execute(tables.reports.update().values(told))
    failed = last(follow_report(service.engine, report_id, quiet_seconds=5))
    assert (failed.state, failed.moving) == (ReportState.FAILED, False)
    assert "tell support ABCD1234" in failed.text


def test_who_waits_in_vain_is_told_where_to_look(service: Service, april: int) -> None:
    with service.engine.begin() as connection:
        report_id = request_report(connection, request_for("provider", "ZX1"), user_id=None)
    with pytest.raises(NoProgress, match=r"the report for 1 s.*`grouper up`"):
        last(follow_report(service.engine, report_id, quiet_seconds=1))
