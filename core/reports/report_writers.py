"""How each kind of report is written."""

from __future__ import annotations

from collections.abc import Mapping

from core.reports.kinds import (
    annual_summary,
    backing_data,
    data_extract,
    detailed_charges,
    invoice_backing,
    kpi_report,
    submission_receipt,
)
from core.reports.report_context import Book
from core.vocabulary.report_kinds import ReportKind

BOOKS: Mapping[ReportKind, Book] = {
    ReportKind.BACKING_DATA: backing_data.BOOK,
    ReportKind.ANNUAL_SUMMARY: annual_summary.BOOK,
    ReportKind.DETAILED_CHARGES: detailed_charges.BOOK,
    ReportKind.INVOICE_BACKING: invoice_backing.BOOK,
    ReportKind.DATA_EXTRACT: data_extract.BOOK,
    ReportKind.SUBMISSION_RECEIPT: submission_receipt.BOOK,
    ReportKind.KPI_REPORT: kpi_report.BOOK,
}
