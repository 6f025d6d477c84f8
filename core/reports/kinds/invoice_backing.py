"""Invoice Backing: what a provider sends a commissioner with its invoice.

The summary agrees with the lines to the penny; the lines stand beside it as csv too. Health care
that a council commissions bears no VAT (VAT Act 1994, schedule 9, group 7).
"""

from __future__ import annotations

from typing import Any

from core.reports.collating.sums import Total, grand_total, totals_by
from core.reports.kinds.backing_data import COLUMNS as LINES
from core.reports.kinds.backing_data import line_rows
from core.reports.kinds.line_csv import write_lines
from core.reports.report_context import Layout, ReportContext, ReportWriter, heading_of, notes
from core.reports.workbooks.workbook import Column, Group, Workbook

COLUMNS = (
    Column("Month", "month", 14, "the submission month"),
    Column("Currency", width=12, meaning="code of the tariff configuration"),
    Column("Name", width=44, meaning="of the currency"),
    Column("Primary", "whole", 11, "charges at the primary rate"),
    Column("Additional", "whole", 11, "charges at the additional rate"),
    Column("Charges", "whole", 11, "both"),
    Column("Net", "money", 15, "pounds"),
    Column("VAT", "money", 11, "none: health care is exempt"),
    Column("Total", "money", 15, "pounds"),
)
INVOICE, SHEET = "Invoice", "Lines"
LAYOUT = Layout("2", {INVOICE: COLUMNS, SHEET: LINES})


def _write(book: Workbook, context: ReportContext) -> int:
    [payer] = context.request.only
    payer_name = context.areas.get(payer, payer)
    sums = context.collated.sums()
    rows = [_row(total, context) for total in totals_by(sums, "month", "currency")]
    group = Group(
        title=f"To {payer_name} ({payer})",
        columns=COLUMNS,
        rows=rows,
        total=("Total", "", "", *_figures(grand_total(sums))),
    )
    book.groups(INVOICE, heading_of(context), [group])
    count = book.table(SHEET, context.labelled(LINES), line_rows(context))
    extra_notes = (
        ("To", f"{payer_name} ({payer})"),
        ("VAT", "None: health care is exempt from VAT."),
        ("Lines", f"{count:,}; their amounts add up to the total of the invoice."),
    )
    book.notes("Invoice Backing", notes(context, LAYOUT, *extra_notes))
    return count


def _row(total: Total, context: ReportContext) -> tuple[Any, ...]:
    month, currency = total.names
    return (month, currency, context.currencies.get(currency, ""), *_figures(total))


def _figures(total: Total) -> tuple[Any, ...]:
    return (
        total.primary,
        total.additional,
        total.charges,
        total.amount,
        0,
        total.amount,
    )


WRITER = ReportWriter(LAYOUT, _write, write_lines, " lines.csv")
