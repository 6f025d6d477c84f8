"""Data Extract: the merged records, one row an episode, as codes or in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from core.reports.collating.merged_records import count_records
from core.reports.collating.parts import MONTH, PROVIDER, PROVIDER_NAME
from core.reports.report_context import Layout, ReportContext, ReportWriter, notes
from core.reports.workbooks.cells import rows_of
from core.reports.workbooks.workbook import Column, Workbook

SHEET = "Data Extract"
_FRONT = (
    Column("Month", "month", 11, "the submission month"),
    Column("Provider", width=10, meaning="its code"),
    Column("Provider name", width=34),
)
_RECORDS = Column("Records", "whole", 10, "how many records were merged into the episode")
LAYOUT = Layout(
    "1",
    {
        SHEET: (
            *_FRONT,
            Column("Clinic", meaning="and so on: the columns of the data set, in its order"),
            _RECORDS,
        )
    },
)


def _write(book: Workbook, context: ReportContext) -> int:
    parts = context.collated.episodes()
    first = next(parts)
    names = first.column_names
    fields = [name for name in names if name not in (MONTH, PROVIDER, PROVIDER_NAME, "records")]
    columns = (*_FRONT, *(_column(name, context.titles) for name in fields), _RECORDS)
    records = [0]
    count = book.table(SHEET, columns, rows_of(_counted(first, parts, records), names))
    extra_notes = (
        ("Episodes", f"{count:,}, merged from {records[0]:,} records"),
        ("Codes", "In words." if context.request.labels else "As recorded."),
    )
    book.notes(SHEET, notes(context, LAYOUT, *extra_notes))
    return count


def _column(name: str, titles: Mapping[str, str]) -> Column:
    """In words: the title of the field, with its name where it is another."""
    title = titles.get(name, name)
    return Column(title, width=_width(title), meaning="" if title == name else name)


def _width(name: str) -> int:
    return max(12, min(30, len(name) + 3))


def _counted(first: pa.Table, rest: Iterator[pa.Table], records: list[int]) -> Iterator[Any]:
    for part in (first, *rest):
        records[0] += count_records(part)
        yield part


WRITER = ReportWriter(LAYOUT, _write)
