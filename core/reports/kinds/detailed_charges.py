"""Detailed Charges: counts and amounts by month, provider, clinic, currency and commissioner."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from core.reports.collating.sums import NOBODY, Total, grand_total, totals_by
from core.reports.disclosure.disclosure_control import hidden_cells
from core.reports.disclosure.hidden_numbers import HIDDEN, hiding_note
from core.reports.kinds.summary_groups import summary_groups
from core.reports.report_context import Layout, ReportContext, ReportWriter, heading_of, notes
from core.reports.workbooks.workbook import Chart, Column, Workbook

COLUMNS = (
    Column("Month", "month", 11, "the submission month"),
    Column("Provider", width=10, meaning="its code"),
    Column("Provider name", width=34),
    Column("Clinic", width=14, meaning="as the records name it"),
    Column("Clinic name", width=30),
    Column("Currency", width=10, meaning="code of the tariff configuration"),
    Column("Currency name", width=36),
    Column("Commissioner", width=14, meaning="area code of who pays; empty: nobody"),
    Column("Commissioner name", width=26),
    Column("Primary", "whole", 11, "charges at the primary rate"),
    Column("Additional", "whole", 11, "charges at the additional rate"),
    Column("Charges", "whole", 11, "both"),
    Column("Primary amount", "money", 15, "pounds"),
    Column("Additional amount", "money", 15, "pounds"),
    Column("Amount", "money", 15, "pounds, both"),
)
SHEET = "Detailed Charges"
LAYOUT = Layout("1", {SHEET: COLUMNS})

_GROUPED = ("month", "provider", "provider_name", "clinic_id", "currency", "commissioner")
Mask = npt.NDArray[np.bool_]


def _write(book: Workbook, context: ReportContext) -> int:
    sums = context.collated.sums()
    totals, all_of_it = totals_by(sums, *_GROUPED), grand_total(sums)
    counts = np.array([(total.primary, total.additional) for total in totals], np.int64)
    mask = hidden_cells(counts.reshape(-1, 2), context.hide_below)
    if not context.hide_below:  # a summary by other groups would give hidden numbers away
        _write_summary(book, context)
    rows = [
        (*_names(total, context), *_figures(total, hides))
        for total, hides in zip(totals, mask[:-1], strict=True)
    ]
    total_row = ("Total", *[""] * 8, *_figures(all_of_it, mask[-1]))
    count = book.table(SHEET, context.labelled(COLUMNS), rows, total=total_row)
    book.notes(SHEET, notes(context, LAYOUT, *hiding_note(context.hide_below)))
    return count


def _names(total: Total, context: ReportContext) -> tuple[Any, ...]:
    month, provider, provider_name, clinic, currency, payer = total.names
    nobody = payer == NOBODY
    return (
        month,
        provider,
        provider_name,
        clinic,
        context.clinics.get(clinic, ""),
        currency,
        context.currencies.get(currency, ""),
        "" if nobody else payer,
        "Nobody is charged" if nobody else context.areas.get(payer, ""),
    )


def _figures(total: Total, hides: Mask) -> list[Any]:
    """Primary, additional and both: counted, then in pounds; an amount is hidden with its count."""
    counts = (total.primary, total.additional, total.charges)
    pence = (total.primary_pence, total.additional_pence, total.pence)
    shown: list[Any] = [
        HIDDEN if hide else count for count, hide in zip(counts, hides, strict=True)
    ]
    return shown + [
        HIDDEN if hide else amount / 100 for amount, hide in zip(pence, hides, strict=True)
    ]


def _write_summary(book: Workbook, context: ReportContext) -> None:
    groups = summary_groups(context, context.collated.sums())
    places = book.groups("Summary", heading_of(context), groups)
    first, last = places[1]
    shown = (first, min(last, first + 14))
    chart = Chart("Amount by currency", "Pounds", shown, 0, ((5, "Amount"),), lying=True)
    book.chart("Summary", "H3", chart)


WRITER = ReportWriter(LAYOUT, _write)
