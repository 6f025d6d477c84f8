"""Every kind of report from the real database: its totals are the charges', to the penny."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import Connection

from core.database import tables
from core.kpis.catalogue import published_kpis
from core.kpis.measuring import Measurement
from core.kpis.results import store_result
from core.reports.kinds.annual_summary import AMOUNTS, months_of
from core.reports.kinds.annual_summary import CHARGES as COUNTS
from core.reports.report_writers import WRITERS
from core.reports.requests import ReportRequest, runs_to_show
from core.vocabulary.report_kinds import KINDS, ReportKind
from tests.service.month import APRIL, HACKNEY, visit
from tests.service.reports.whole_report import write_whole

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from tests.service.month import Service

MAY, MARCH = dt.date(2017, 5, 1), dt.date(2018, 3, 1)
PAYERS = ("E09000030", "E09000012")
SIDES = [("provider", "ZX1"), ("provider", "ZX2"), ("commissioner", "E09000012")]


def request_for(kind: ReportKind, side: str, organisation: str, **more: Any) -> ReportRequest:
    values: dict[str, Any] = {
        "kind": kind,
        "side": side,
        "organisation": organisation,
        "organisation_name": organisation,
        "first_month": APRIL,
        "last_month": {"year": MARCH, "month": APRIL, "months": MAY}[KINDS[kind].span],
        "asked_by": "Amira Okafor",
    }
    return ReportRequest(**{**values, **more})


def made(connection: Connection, request: ReportRequest, folder: Path) -> openpyxl.Workbook:
    path = folder / "report.xlsx"
    write_whole(connection, request, path)
    return openpyxl.load_workbook(path)


def table(sheet: Worksheet) -> list[dict[str, Any]]:
    """The rows of a sheet by its headings, the last of which is the total."""
    headings, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(headings, row, strict=True)) for row in rows]


def pounds(value: Any) -> Decimal:
    return Decimal(str(value or 0))


@pytest.fixture
def months(service: Service) -> dict[tuple[str, dt.date], int]:
    """Submitted months of two providers, with the runs that are published."""
    found = {}
    for provider, clinic in (("ZX1", "ZX1-A"), ("ZX2", "ZX2-A")):
        for month in (APRIL, MAY):
            submission = service.month(provider, month)
            date = f"{month:%Y-%m}-03"
            service.ready(
                submission,
                visit(1, "T2", clinic=clinic, date=date),
                visit(2, "T4", "C4", clinic=clinic, date=date, lsoa=HACKNEY),
            )
            found[provider, month] = service.run(submission, "final")
    return found


CHARGES = st.lists(
    st.fixed_dictionaries(
        {
            "of": st.sampled_from([(p, m) for p in ("ZX1", "ZX2") for m in (APRIL, MAY)]),
            "clinic_id": st.sampled_from(["ZX1-A", "ZX1-B", "=C", "+C", "-C", "@C"]),
            "patient_id": st.text("1=+-@ é,\"'", min_size=1, max_size=4),
            "attendance_date": st.dates(dt.date(2017, 4, 1), dt.date(2017, 5, 31)),
            "currency": st.sampled_from(["T2", "STIA", "XX"]),
            "rate_type": st.sampled_from(["primary", "additional"]),
            "rate_pence": st.integers(0, 99_999),
            "factor": st.sampled_from([Decimal(1), Decimal("1.17"), Decimal("0.98765")]),
            "amount_pence": st.integers(0, 2_000_000_000),
            "commissioner": st.sampled_from([*PAYERS, None]),
            "basis": st.sampled_from(["resident", "host", "none"]),
        }
    ),
    max_size=12,
)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(charges=CHARGES)
def test_totals_are_those_of_the_charges(
    service: Service, months: dict[Any, int], tmp_path: Path, charges: list[dict[str, Any]]
) -> None:
    with service.engine.connect() as connection:  # rolled back after each example
        for each in charges:
            values = {**each, "run_id": months[each["of"]], "chunk": 0, "reason_id": 0}
            del values["of"]
            connection.execute(tables.charges.insert().values(**values))
        whose = {run_id: of for of, run_id in months.items()}
        stored = connection.execute(sa.select(tables.charges)).all()
        expected: Counter[Any] = Counter()
        for row in stored:
            expected[(*whose[row.run_id], row.commissioner)] += row.amount_pence
        for side, organisation in SIDES:
            seen = {
                key: pence
                for key, pence in expected.items()
                if organisation == (key[0] if side == "provider" else key[2])
            }
            for check in (annual_agrees, detailed_agrees):
                check(connection, seen, (side, organisation), tmp_path)
        invoices_agree(connection, expected, tmp_path)


def annual_agrees(
    connection: Connection, expected: dict[Any, int], side: tuple[str, str], folder: Path
) -> None:
    book = made(connection, request_for(ReportKind.ANNUAL_SUMMARY, *side), folder)
    *rows, total = table(book[AMOUNTS])
    found = {
        (row["Provider"], month, row["Commissioner"]): pounds(row[f"{month:%b %Y}"])
        for row in rows
        for month in months_of(APRIL)
    }
    assert {key: value for key, value in found.items() if value} == {
        key: Decimal(pence) / 100 for key, pence in expected.items() if pence
    }
    assert pounds(total["Total"]) == Decimal(sum(expected.values())) / 100
    assert sum(pounds(row["Total"]) for row in rows) == pounds(total["Total"])
    assert len(table(book[COUNTS])) == len(rows) + 1
    summary = list(book["Summary"].iter_rows(values_only=True))
    [last] = [row for row in summary if row[0] == "Total"]
    assert pounds(last[2]) == pounds(total["Total"])


def detailed_agrees(
    connection: Connection, expected: dict[Any, int], side: tuple[str, str], folder: Path
) -> None:
    book = made(connection, request_for(ReportKind.DETAILED_CHARGES, *side), folder)
    *rows, total = table(book["Detailed Charges"])
    found: Counter[Any] = Counter()
    for row in rows:
        nobody = row["Commissioner name"] == "Nobody is charged"
        payer = None if nobody else row["Commissioner"]
        found[row["Provider"], row["Month"].date(), payer] += pounds(row["Amount"])
        assert row["Primary"] + row["Additional"] == row["Charges"]
        parts = pounds(row["Primary amount"]) + pounds(row["Additional amount"])
        assert parts == pounds(row["Amount"])
    assert +found == Counter(
        {key: Decimal(pence) / 100 for key, pence in expected.items() if pence}
    )
    assert pounds(total["Amount"]) == Decimal(sum(expected.values())) / 100
    totals = [row for row in book["Summary"].iter_rows(values_only=True) if row[0] == "Total"]
    assert {pounds(row[5]) for row in totals} == {pounds(total["Amount"])}


def invoices_agree(connection: Connection, expected: Counter[Any], folder: Path) -> None:
    for payer in PAYERS:
        request = request_for(ReportKind.INVOICE_BACKING, "provider", "ZX1", only=(payer,))
        book = made(connection, request, folder)
        mine = Decimal(
            sum(p for (who, _, whom), p in expected.items() if (who, whom) == ("ZX1", payer))
        )
        [total] = [r for r in book["Invoice"].iter_rows(values_only=True) if r[0] == "Total"]
        assert (pounds(total[6]), total[7], pounds(total[8])) == (mine / 100, 0, mine / 100)
        lines = table(book["Lines"])
        assert sum(pounds(line["Amount"]) for line in lines) == mine / 100
        with (folder / "report.csv").open(encoding="utf-8-sig", newline="") as file:
            plain = list(csv.DictReader(file))
        assert sum(Decimal(line["Amount"]) for line in plain) == mine / 100
        assert [line["Patient ID"].removeprefix("'") for line in plain] == [
            line["Patient ID"].removeprefix("'") for line in lines
        ]
        assert not [v for line in plain for v in line.values() if v and v[0] in "=+-@"]


@pytest.mark.parametrize("labels", [False, True])
def test_a_data_extract_has_the_merged_records(
    service: Service, tmp_path: Path, labels: bool
) -> None:
    month = service.month()
    service.ready(
        month,
        visit("=1", "T2"),
        visit("=1", "", "C4"),
        visit(2, "T4", lsoa=HACKNEY, gender="2"),
    )
    service.run(month, "draft")
    request = request_for(ReportKind.DATA_EXTRACT, "provider", "ZX1", labels=labels)
    with service.engine.connect() as connection:
        book = made(connection, request, tmp_path)
    rows = table(book["Data Extract"])
    assert [(row["Patient ID"], row["Records"]) for row in rows] == [("=1", 2), ("2", 1)]
    assert rows[0]["Month"] == dt.datetime(2017, 4, 1)  # noqa: DTZ001 - workbooks know no zones
    first = ("Male", "Chlamydial infection") if labels else ("1", "C4")
    assert (rows[0]["Gender"], rows[0]["SHHAPT 2"]) == first
    assert {row["Attendance Date"] for row in rows} == {"2017-04-03"}
    notes = dict(book["Notes"].iter_rows(min_row=3, max_col=2, values_only=True))
    assert notes["Episodes"] == "2, merged from 3 records"


def test_a_receipt_names_files_run_and_totals(
    service: Service, months: dict[Any, int], tmp_path: Path
) -> None:
    request = request_for(ReportKind.SUBMISSION_RECEIPT, "provider", "ZX1")
    with service.engine.connect() as connection:
        book = made(connection, request, tmp_path)
        run = connection.execute(
            sa.select(tables.runs).where(tables.runs.c.id == months["ZX1", APRIL])
        ).one()
    [file] = table(book["Files"])
    assert (file["File"], file["Records"], len(file["SHA-256"])) == ("april.csv", 2, 64)
    assert (file["Rows"], file["Rows left out"]) == (2, 0)
    facts = dict(book["Notes"].iter_rows(min_row=3, max_col=2, values_only=True))
    merged = f"{2 - run.episodes} merged into the episode of an earlier one"
    assert facts["Records"] == f"2 records: {run.episodes} episodes, {merged}"
    assert facts["Episodes"].startswith(f"{run.episodes} episodes: {run.episodes_charged} with")
    rows = list(book["Receipt"].iter_rows(values_only=True))
    [calculated] = [row for row in rows if row[0] == "Number 1"]
    assert calculated[1:5] == ("Submitted: final", 2, run.episodes, run.charges)
    assert pounds(calculated[5]) == Decimal(run.amount_pence) / 100
    totals = {pounds(row[5]) for row in rows if row[0] == "Total"}
    assert totals == {Decimal(run.amount_pence) / 100}


def test_small_numbers_are_hidden_from_a_commissioner_alone(
    service: Service,
    months: dict[Any, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GROUPER_HIDE_BELOW", "5")
    monkeypatch.setattr("core.settings._in_use", [])  # they are read anew
    with service.engine.connect() as connection:
        for kind, sheet in (
            (ReportKind.DETAILED_CHARGES, "Detailed Charges"),
            (ReportKind.ANNUAL_SUMMARY, "Charges"),
        ):
            theirs = made(connection, request_for(kind, "commissioner", "E09000012"), tmp_path)
            figures = [value for row in table(theirs[sheet]) for value in row.values()]
            assert "*" in figures
            assert not {1, 2, 3, 4} & {value for value in figures if isinstance(value, int)}
            told = [row[0] for row in theirs["Notes"].iter_rows(values_only=True)]
            assert "Small numbers" in told
            own = made(connection, request_for(kind, "provider", "ZX1"), tmp_path)
            assert "*" not in [value for row in table(own[sheet]) for value in row.values()]


def test_a_report_on_indicators_shows_figures_trends_and_others(
    service: Service, months: dict[Any, int], tmp_path: Path
) -> None:
    with service.engine.begin() as connection:
        [first, second, *_] = published_kpis(connection, "sexual-health")
        for (_, month), run_id in months.items():
            count = 4 if month == APRIL else 5
            measured = Measurement(Decimal(10), Decimal(count))
            store_result(connection, run_id, first.id, measured)
            store_result(connection, run_id, second.id, None, "It took too long.")
        of_may = tables.kpi_results.c.run_id == months["ZX1", MAY]
        connection.execute(
            tables.kpi_results.update()
            .where(of_may, tables.kpi_results.c.kpi_id == first.id)
            .values(taken_over=True)
        )
        request = request_for(ReportKind.KPI_REPORT, "provider", "ZX1")
        book = made(connection, request, tmp_path)
        theirs = made(
            connection, request_for(ReportKind.KPI_REPORT, "commissioner", PAYERS[1]), tmp_path
        )
    rows = table(book["KPI Report"])
    assert [(row["Month"].month, row["Value"], row["Remark"]) for row in rows] == [
        (4, 2.5, None),
        (5, 2, "figure of the old service"),
        (4, None, "It took too long."),
        (5, None, "It took too long."),
    ]
    assert {row["Provider"] for row in rows} == {"ZX1"}
    assert {row["Provider"] for row in table(theirs["KPI Report"])} == {"ZX1", "ZX2"}
    trends = table(book["Trends"])
    assert (trends[0]["Apr 2017"], trends[0]["May 2017"]) == (2.5, 2)
    assert [row["Indicator"] for row in table(book["Indicators"])] == [
        first.definition.kpi,
        second.definition.kpi,
    ]
    assert len(book["Charts"]._charts) == 2


def test_headings_are_those_that_are_documented(
    service: Service, months: dict[Any, int], tmp_path: Path
) -> None:
    with service.engine.connect() as connection:
        for kind, book in WRITERS.items():
            only = ("E09000030",) if kind == ReportKind.INVOICE_BACKING else ()
            written = made(connection, request_for(kind, "provider", "ZX1", only=only), tmp_path)
            for name, columns in book.layout.sheets.items():
                rows = written[name].iter_rows(values_only=True)
                headings = [[value for value in row if value] for row in rows]
                wanted = [column.heading for column in columns]
                if "and so on" in "".join(column.meaning for column in columns):
                    found = headings[0]
                    first = next(n for n, c in enumerate(columns) if "and so on" in c.meaning)
                    assert found[:first] == wanted[:first]
                    assert found[len(found) - len(wanted) + first + 1 :] == wanted[first + 1 :]
                else:
                    assert wanted in headings


def test_a_request_that_fits_no_report_is_refused() -> None:
    kind = ReportKind
    for text, request in {
        "April to March": {"kind": kind.ANNUAL_SUMMARY, "last_month": MAY},
        "of one month": {"kind": kind.SUBMISSION_RECEIPT, "last_month": MAY},
        "names one commissioner": {"kind": kind.INVOICE_BACKING},
    }.items():
        with pytest.raises(ValidationError, match=text):
            request_for(side="provider", organisation="ZX1", **request)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="made for a provider"):
        request_for(kind.DATA_EXTRACT, "commissioner", "E09000012")


def test_a_commissioner_may_name_providers(
    service: Service, months: dict[Any, int], tmp_path: Path
) -> None:
    request = request_for(ReportKind.DETAILED_CHARGES, "commissioner", "E09000012", only=("ZX2",))
    with service.engine.connect() as connection:
        assert {run.provider for run in runs_to_show(connection, request)} == {"ZX2"}
        *rows, _ = table(made(connection, request, tmp_path)["Detailed Charges"])
    assert {(row["Provider"], row["Commissioner"]) for row in rows} == {("ZX2", "E09000012")}
