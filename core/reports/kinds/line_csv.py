"""The lines of a report as csv: ISO dates, pounds with two places, inert texts."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from core.engine.columns.csv_injection import heading_line, inert_texts
from core.reports.kinds.backing_data import COLUMNS, NAMES, completed_lines
from core.reports.report_context import ReportContext

_BOM = b"\xef\xbb\xbf"  # spreadsheets take csv without one for an old encoding


def write_lines(context: ReportContext, path: Path) -> None:
    """Writes the headings and lines of Backing Data."""
    headings = heading_line(column.heading for column in context.labelled(COLUMNS))
    with path.open("wb") as file:
        file.write(_BOM + headings)
        for lines in completed_lines(context):
            plain = pa.table({name: _plain(name, lines) for name in NAMES})
            options = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
            pa_csv.write_csv(plain, file, options)


def _plain(name: str, lines: pa.Table) -> pa.ChunkedArray:
    if name in ("rate", "amount"):
        return _pounds(lines[f"{name}_pence"])
    column = lines[name]
    if name == "month":
        return pc.strftime(column, format="%Y-%m")
    if pa.types.is_date32(column.type):
        return pc.strftime(column, format="%Y-%m-%d")
    texts = column.cast(pa.string())
    return texts if pa.types.is_primitive(column.type) else inert_texts(texts)


def _pounds(pence: pa.ChunkedArray) -> pa.ChunkedArray:
    pounds = pc.divide(pence, 100)
    rest = pc.subtract(pence, pc.multiply(pounds, 100)).cast(pa.string())
    return pc.binary_join_element_wise(pounds.cast(pa.string()), pc.utf8_lpad(rest, 2, "0"), ".")
