"""Backing Data: one row a charge, a summary that agrees with the charges, and notes.

Layout: docs/reports.md (month, rate, currency, provider and clinic,
commissioner, attendance date).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from core.reports.kinds.summary_groups import summary_groups
from core.reports.report_context import Layout, ReportContext, ReportWriter, heading_of, notes
from core.reports.workbooks.cells import named, pounds, rows_of
from core.reports.workbooks.workbook import Column, Workbook

COLUMNS = (
    Column("Month", "month", 11, "the submission month"),
    Column("Provider", width=10, meaning="its code"),
    Column("Provider name", width=34),
    Column("Clinic", width=14, meaning="as the records name it"),
    Column("Clinic name", width=30),
    Column("Patient ID", width=20, meaning="the clinic's own number, as it was uploaded"),
    Column("Attendance date", "date", 16),
    Column("Currency", width=10, meaning="code of the tariff configuration"),
    Column("Rate type", width=11, meaning="primary or additional"),
    Column("Rate", "money", 11, "pounds, before the factor"),
    Column("Factor", "factor", 9, "of the provider, or of the commissioner that hosts the clinic"),
    Column("Amount", "money", 12, "pounds: rate × factor, rounded half up to the penny"),
    Column("Commissioner", width=14, meaning="area code of who pays; empty: nobody"),
    Column("Commissioner name", width=26),
    Column("Basis", width=10, meaning="why this one pays: resident, host or none"),
    Column("Reason", width=90, meaning="which statement fired, which combination replaced what"),
    Column("Also charged in", width=16, meaning="months that had charged the same visit before"),
)
SHEET = "Backing Data"
LAYOUT = Layout("2", {SHEET: COLUMNS})

NAMES = (
    *("month", "provider", "provider_name", "clinic_id", "clinic_name", "patient_id"),
    *("attendance_date", "currency", "rate_type", "rate", "factor", "amount"),
    *("commissioner", "commissioner_name", "basis", "reason", "before"),
)


def line_rows(context: ReportContext) -> Iterator[tuple[Any, ...]]:
    """The rows of ``COLUMNS``."""
    return rows_of(completed_lines(context), NAMES)


def completed_lines(context: ReportContext) -> Iterator[pa.Table]:
    """The lines, a part at a time, with every column of ``NAMES`` and the columns in pence."""
    return (_completed(lines, context) for lines in context.collated.lines())


def _completed(lines: pa.Table, context: ReportContext) -> pa.Table:
    """With pounds for pence, and names beside codes."""
    columns = {name: lines[name] for name in lines.column_names}
    columns["rate"] = pounds(lines["rate_pence"])
    columns["amount"] = pounds(lines["amount_pence"])
    columns["clinic_name"] = named(lines["clinic_id"], context.clinics)
    columns["commissioner_name"] = named(lines["commissioner"], context.areas)
    return pa.table(columns)


def _write(book: Workbook, context: ReportContext) -> int:
    title = heading_of(context)
    book.groups("Summary", title, summary_groups(context, context.collated.sums()))
    count = book.table(SHEET, context.labelled(COLUMNS), line_rows(context))
    book.notes(SHEET, notes(context, LAYOUT, ("Charges", f"{count:,}")))
    return count


WRITER = ReportWriter(LAYOUT, _write)
