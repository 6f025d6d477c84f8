"""The short tables at the front of a report: by clinic, by currency, by commissioner."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pyarrow as pa

from core.reports.collating.sums import NOBODY, Total, dearest_first, totals_by
from core.reports.report_context import ReportContext
from core.reports.workbooks.workbook import Column, Group

_COUNTS = (
    Column("Primary", "whole", 11),
    Column("Additional", "whole", 11),
    Column("Charges", "whole", 11),
    Column("Amount", "money", 15),
)


def summary_groups(context: ReportContext, sums: pa.Table) -> list[Group]:
    """The totals of the report by clinic, currency and commissioner, highest amount first."""
    payers = {NOBODY: "Nobody is charged", **context.areas}
    return [
        _group(context.labels.clinic, totals_by(sums, "clinic_id"), context.clinics),
        _group("Currency", totals_by(sums, "currency"), context.currencies),
        _group("Commissioner", totals_by(sums, "commissioner"), payers),
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
        for total in dearest_first(totals)
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
