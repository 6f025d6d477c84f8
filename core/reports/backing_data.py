"""Backing Data: one row a charge, a summary that agrees with the charges, and notes.

Layout: domain/worked-examples.md, section 12 (month, rate, currency, provider and clinic,
commissioner, attendance date). The headings and their order are fixed: sheets downstream read them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from core.areas.register import AreaRegister
from core.reports.charge_lines import (
    NOBODY,
    Total,
    area_name,
    charge_lines,
    clinic_names,
    totals_by,
)
from core.reports.requests import ReportRequest, runs_to_show
from core.reports.workbook import ROWS_A_SHEET, Column, Group, Workbook
from core.tariffs.published import currency_names

LAYOUT = "1"
"""The version of the headings below; a change of any raises it."""

COLUMNS = (
    Column("Month", "month", 11),
    Column("Provider", width=10),
    Column("Provider name", width=34),
    Column("Clinic", width=14),
    Column("Clinic name", width=30),
    Column("Patient ID", width=20),
    Column("Attendance date", "date", 16),
    Column("Currency", width=10),
    Column("Rate type", width=11),
    Column("Rate", "money", 11),
    Column("Factor", "factor", 9),
    Column("Amount", "money", 12),
    Column("Commissioner", width=14),
    Column("Commissioner name", width=26),
    Column("Basis", width=10),
    Column("Reason", width=90),
)

_COUNTS = (
    Column("Primary", "whole", 11),
    Column("Additional", "whole", 11),
    Column("Charges", "whole", 11),
    Column("Amount", "money", 15),
)


def write_backing_data(
    connection: Connection,
    request: ReportRequest,
    path: Path,
    *,
    made_at: dt.datetime,
    register: AreaRegister,
    rows_a_sheet: int = ROWS_A_SHEET,
) -> int:
    """Writes the workbook and returns the number of charges in it."""
    runs = runs_to_show(connection, request)
    run_ids = [run.id for run in runs]
    with Workbook(path, rows_a_sheet=rows_a_sheet) as book:
        book.describe("Backing Data", f"{request.organisation_name}, {request.period}")
        book.groups(
            "Summary",
            f"Backing Data: {request.organisation_name}, {request.period}",
            _summary(connection, request, run_ids, register),
        )
        lines = _rows(connection, request, run_ids, register)
        count = book.table("Backing Data", COLUMNS, lines)
        book.notes("Notes", _notes(request, runs, made_at, count))
    return count


def _rows(
    connection: Connection, request: ReportRequest, run_ids: list[int], register: AreaRegister
) -> Iterator[tuple[Any, ...]]:
    for line in charge_lines(connection, request, run_ids):
        yield (
            line.month,
            line.provider,
            line.provider_name,
            line.clinic_id,
            line.clinic_name,
            line.patient_id,
            line.attendance_date,
            line.currency,
            line.rate_type,
            Decimal(line.rate_pence) / 100,
            line.factor,
            Decimal(line.amount_pence) / 100,
            line.commissioner,
            area_name(register, line.commissioner),
            line.basis,
            line.reason,
        )


def _summary(
    connection: Connection, request: ReportRequest, run_ids: list[int], register: AreaRegister
) -> list[Group]:
    def group(heading: str, column: str, names: Mapping[str, str]) -> Group:
        totals = totals_by(connection, request, run_ids, column)
        return _group(heading, totals, names)

    return [
        group("Clinic", "clinic_id", clinic_names(connection, run_ids)),
        group("Currency", "currency", currency_names(connection, run_ids)),
        group("Commissioner", "commissioner", {NOBODY: "Nobody is charged", **register.names}),
    ]


def _group(heading: str, totals: list[Total], names: Mapping[str, str]) -> Group:
    rows = [
        (
            "" if total.names[0] == NOBODY else total.names[0],
            names.get(total.names[0], ""),
            total.primary,
            total.additional,
            total.charges,
            total.amount,
        )
        for total in totals
    ]
    return Group(
        title=f"By {heading.lower()}",
        columns=(Column(heading, width=16), Column("Name", width=36), *_COUNTS),
        rows=rows,
        total=(
            "Total",
            "",
            sum(total.primary for total in totals),
            sum(total.additional for total in totals),
            sum(total.charges for total in totals),
            sum((total.amount for total in totals), Decimal(0)),
        ),
    )


def _notes(
    request: ReportRequest, runs: list[Any], made_at: dt.datetime, count: int
) -> list[tuple[str, str]]:
    whose = (
        "All charges of the provider's own activity, whoever pays."
        if request.side == "provider"
        else "Charges that this commissioner pays, from submitted months only."
    )
    notes = [
        ("Report", f"Backing Data, layout {LAYOUT}: one row a charge."),
        ("For", f"{request.organisation_name} ({request.organisation})"),
        ("Period", request.period),
        ("What it shows", whose),
        ("Asked for by", request.asked_by),
        ("Made", f"{made_at:%-d %B %Y at %H:%M} UTC"),
        ("Charges", f"{count:,}"),
    ]
    notes += [(f"Run {run.id}", _run_note(run)) for run in runs]
    return [
        *notes,
        ("Amounts", "Pounds. Each line is rate × factor, rounded half up to the penny."),
        ("Nobody is charged", "Lines without a commissioner are kept, with amount £0.00."),
    ]


def _run_note(run: Any) -> str:
    kind = "final run, released to commissioners" if run.kind == "final" else "DRAFT run"
    return (
        f"{run.provider_name}, {run.month:%B %Y}: {kind}, number {run.number}, "
        f"finished {run.finished_at:%-d %B %Y at %H:%M} UTC"
    )
