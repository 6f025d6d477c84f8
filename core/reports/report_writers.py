"""The writer of each kind of report."""

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
from core.reports.report_context import ReportWriter
from core.vocabulary.report_kinds import ReportKind

WRITERS: Mapping[ReportKind, ReportWriter] = {
    ReportKind.BACKING_DATA: backing_data.WRITER,
    ReportKind.ANNUAL_SUMMARY: annual_summary.WRITER,
    ReportKind.DETAILED_CHARGES: detailed_charges.WRITER,
    ReportKind.INVOICE_BACKING: invoice_backing.WRITER,
    ReportKind.DATA_EXTRACT: data_extract.WRITER,
    ReportKind.SUBMISSION_RECEIPT: submission_receipt.WRITER,
    ReportKind.KPI_REPORT: kpi_report.WRITER,
}
