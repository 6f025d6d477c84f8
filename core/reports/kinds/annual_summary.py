"""Annual Summary: a row a provider and commissioner, the months of a year across."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.reports.collating.sums import NOBODY, Total, totals_by
from core.reports.disclosure.disclosure_control import hidden_cells, with_totals
from core.reports.disclosure.hidden_numbers import HIDDEN, hiding_note
from core.reports.report_context import Layout, ReportContext, ReportWriter, heading_of, notes
from core.reports.requests import year_from
from core.reports.workbooks.workbook import Chart, Column, Group, Kind, Workbook

_WHO = (
    Column("Provider", width=10, meaning="its code"),
    Column("Provider name", width=34),
    Column("Commissioner", width=14, meaning="area code of who pays; empty: nobody"),
    Column("Commissioner name", width=26),
)
_MONTHS = Column("Apr 2017", "spread", 13, "and so on: the twelve months of the year")


def _across(kind: Kind) -> tuple[Column, ...]:
    return (
        *_WHO,
        Column(_MONTHS.heading, kind, 13, _MONTHS.meaning),
        Column("Total", kind, 15, "of the twelve months"),
    )


AMOUNTS, CHARGES = "Amounts", "Charges"
LAYOUT = Layout("1", {AMOUNTS: _across("spread"), CHARGES: _across("tally")})

Table = npt.NDArray[np.int64]


def months_of(first: dt.date) -> list[dt.date]:
    """Twelve months, beginning with ``first``."""
    last = year_from(first)
    years = range(first.year, last.year + 1)
    days = (dt.date(year, month, 1) for year in years for month in range(1, 13))
    return [day for day in days if first <= day <= last]


@dataclass(frozen=True)
class _Year:
    """Rows of provider and commissioner by twelve months: counts and pence with totals, and the
    mask of hidden cells."""

    months: list[dt.date]
    who: list[tuple[Any, ...]]
    counts: Table
    pence: Table
    mask: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, context: ReportContext) -> _Year:
        months = months_of(context.request.first_month)
        sums = context.collated.sums()
        totals = totals_by(sums, "provider", "provider_name", "commissioner", "month")
        who = sorted({total.names[:3] for total in totals})
        counts, pence = (_table(totals, who, months, measure) for measure in ("charges", "pence"))
        mask = hidden_cells(counts, context.hide_below)
        return cls(months, who, with_totals(counts), with_totals(pence), mask)


def _write(book: Workbook, context: ReportContext) -> int:
    year = _Year.of(context)
    _write_summary(book, context, year)
    for name, kind, table, unit in (
        (AMOUNTS, "spread", year.pence, 100),
        (CHARGES, "tally", year.counts, 1),
    ):
        rows = _rows(year, table, unit, context)
        book.table(name, _columns(kind, year.months), rows[:-1], total=rows[-1])
    book.notes("Annual Summary", notes(context, LAYOUT, *hiding_note(context.hide_below)))
    return int(year.counts[-1, -1])


def _columns(kind: Any, months: Sequence[dt.date]) -> tuple[Column, ...]:
    across = [Column(f"{month:%b %Y}", kind, 13) for month in months]
    return (*_WHO, *across, Column("Total", kind, 15))


def _table(
    totals: list[Total], who: list[tuple[Any, ...]], months: list[dt.date], measure: str
) -> Table:
    rows = {names: row for row, names in enumerate(who)}
    columns = {month: column for column, month in enumerate(months)}
    table = np.zeros((len(who), len(months)), np.int64)
    for total in totals:
        table[rows[total.names[:3]], columns[total.names[3]]] += getattr(total, measure)
    return table


def _rows(year: _Year, table: Table, unit: int, context: ReportContext) -> list[tuple[Any, ...]]:
    """The rows of the table with its totals, after their provider and commissioner."""
    named = [(code, name, *_payer(payer, context)) for code, name, payer in year.who]
    fronts = [*named, ("Total", "", "", "")]
    return [
        (*front, *_shown(values, hides, unit))
        for front, values, hides in zip(fronts, table, year.mask, strict=True)
    ]


def _payer(code: str, context: ReportContext) -> tuple[str, str]:
    return ("", "Nobody is charged") if code == NOBODY else (code, context.areas.get(code, ""))


def _shown(values: Table, hides: npt.NDArray[np.bool_], unit: int) -> list[Any]:
    return [
        HIDDEN if hide else int(value) / unit if unit > 1 else int(value)
        for value, hide in zip(values, hides, strict=True)
    ]


def _write_summary(book: Workbook, context: ReportContext, year: _Year) -> None:
    charges = _shown(year.counts[-1], year.mask[-1], 1)
    amounts = _shown(year.pence[-1], year.mask[-1], 100)
    rows = list(zip(year.months, charges, amounts, strict=False))
    group = Group(
        title="By month",
        columns=(
            Column("Month", "month", 16),
            Column("Charges", "tally", 14),
            Column("Amount", "spread", 18),
        ),
        rows=rows,
        total=("Total", charges[-1], amounts[-1]),
    )
    [(first, last)] = book.groups("Summary", heading_of(context), [group])
    chart = Chart("Charges by month", "Pounds", (first, last), 0, ((2, "Amount"),), of_months=True)
    book.chart("Summary", "E3", chart)


WRITER = ReportWriter(LAYOUT, _write)
