"""KPI Report: every indicator by provider and month, its trend, and the quartiles of others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from core.kpis.results import Result
from core.reports.disclosure.hidden_numbers import HIDDEN, hiding_note
from core.reports.report_context import Layout, ReportContext, ReportWriter, heading_of, notes
from core.reports.workbooks.workbook import Column, Trend, Workbook

COLUMNS = (
    Column("Month", "month", 11, "the submission month"),
    Column("Provider", width=10, meaning="its code"),
    Column("Provider name", width=34),
    Column("Indicator", width=24, meaning="its name in docs/kpis.md"),
    Column("Title", width=38),
    Column("Numerator", "figure", 13),
    Column("Denominator", "figure", 13),
    Column("Value", "figure", 12, "numerator ÷ denominator, in the unit; empty: none to measure"),
    Column("Unit", width=12),
    Column("Band", width=9, meaning="good, fair or poor, where bands are set"),
    Column("Others", "whole", 9, "how many other providers submitted the month"),
    Column("Lower quartile", "figure", 12, "of the others; empty where they are fewer than three"),
    Column("Median", "figure", 12, "of the others"),
    Column("Upper quartile", "figure", 12, "of the others"),
    Column("Remark", width=60, meaning="why there is no figure, or that the old service gave it"),
)
TREND = (
    Column("Provider", width=10, meaning="its code; “others” for their median"),
    Column("Indicator", width=24),
    Column("Apr 2017", "figure", 11, "and so on: the months of the report"),
)
INDICATORS = (
    Column("Indicator", width=24),
    Column("Title", width=38),
    Column("What it measures", width=80),
    Column("Unit", width=12),
    Column("Good", width=12, meaning="from where on a figure is good"),
    Column("Source", width=70),
)
SHEET, TRENDS, LIST, CHARTS = "KPI Report", "Trends", "Indicators", "Charts"
LAYOUT = Layout("1", {SHEET: COLUMNS, TRENDS: TREND, LIST: INDICATORS})
OLD = "figure of the old service"
CHARTS_A_ROW, ROWS_A_CHART = 2, 13


def _write(book: Workbook, context: ReportContext) -> int:
    results = list(context.results)
    months = sorted({result.month for result in results})
    rows = _trend_rows(results, months, context.hide_below)
    if len(months) > 1:
        book.canvas(CHARTS, heading_of(context), page_rows=2 * ROWS_A_CHART)
    count = book.table(SHEET, COLUMNS, [_row(result, context.hide_below) for result in results])
    across = [*TREND[:-1], *(Column(f"{month:%b %Y}", "figure", 11) for month in months)]
    book.table(TRENDS, across, rows)
    book.table(LIST, INDICATORS, _indicators(results))
    if len(months) > 1:
        _draw(book, results, rows, len(months))
    book.notes(SHEET, notes(context, LAYOUT, *hiding_note(context.hide_below)))
    return count


def _row(result: Result, limit: int) -> tuple[Any, ...]:
    hides, peers = result.is_small(limit), result.peers
    figures = (result.numerator, result.denominator, result.value)
    return (
        result.month,
        result.provider,
        result.provider_name,
        result.kpi.kpi,
        result.kpi.title,
        *(HIDDEN if hides and figure is not None else figure for figure in figures),
        result.kpi.unit,
        "" if hides else result.band or "",
        peers.count if peers else None,
        *((peers.lower, peers.median, peers.upper) if peers else (None, None, None)),
        result.failure or (OLD if result.taken_over else ""),
    )


def _trend_rows(
    results: Sequence[Result], months: Sequence[dt.date], limit: int
) -> list[tuple[Any, ...]]:
    """A row for each provider and indicator, followed by one with the median of others, if any."""
    rows: list[tuple[Any, ...]] = []
    for provider, name in dict.fromkeys((each.provider, each.kpi.kpi) for each in results):
        by_month = {r.month: r for r in results if (r.provider, r.kpi.kpi) == (provider, name)}
        rows.append((provider, name, *(_value(by_month.get(month), limit) for month in months)))
        medians = [_median(by_month.get(month)) for month in months]
        if any(value is not None for value in medians):
            rows.append(("others", name, *medians))
    return rows


def _value(result: Result | None, limit: int) -> Decimal | None:
    return None if result is None or result.is_small(limit) else result.value


def _median(result: Result | None) -> Decimal | None:
    return result.peers.median if result and result.peers else None


def _indicators(results: Sequence[Result]) -> list[tuple[str, ...]]:
    kpis = {result.kpi.kpi: result.kpi for result in results}
    return [
        (
            kpi.kpi,
            kpi.title,
            kpi.description,
            kpi.unit,
            f"{'≥' if kpi.better == 'higher' else '≤'} {kpi.bands.good}" if kpi.bands else "",
            kpi.source,
        )
        for kpi in kpis.values()
    ]


def _draw(
    book: Workbook, results: Sequence[Result], rows: list[tuple[Any, ...]], months: int
) -> None:
    kpis = {result.kpi.kpi: result.kpi for result in results}
    own = [number for number, row in enumerate(rows) if row[0] != "others"]
    for place, number in enumerate(own):
        provider, name = rows[number][:2]
        following = rows[number + 1][:2] if number + 1 < len(rows) else None
        trend = Trend(
            title=kpis[name].title,
            unit=kpis[name].unit,
            name=provider,
            sheet=TRENDS,
            row=number + 1,
            others=number + 2 if following == ("others", name) else None,
            columns=(2, 1 + months),
        )
        row = 3 + place // CHARTS_A_ROW * ROWS_A_CHART
        book.trend(CHARTS, f"{'AI'[place % CHARTS_A_ROW]}{row}", trend)


WRITER = ReportWriter(LAYOUT, _write)
