"""The summary of a check: counts, and the errors grouped by cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.counting import counted
from core.engine.columns.as_read import on_one_line
from core.engine.columns.coded import Coded
from core.engine.dataset.problems import SHOWN_LENGTH
from core.engine.offline.checking import FileCheck

CAUSES_SHOWN = 20
LISTED = 1000
"""Findings that the JSON document lists for a file; errors.csv has all of them."""


def as_document(checks: Sequence[FileCheck], *, errors_csv: str, dataset: str) -> dict[str, Any]:
    """The result of a check as plain values, for ``--json``."""
    return {
        "dataset": dataset,
        "errors_csv": errors_csv,
        "errors": sum(check.error_count for check in checks),
        "warnings": sum(check.warning_count for check in checks),
        "files": [_file_document(check) for check in checks],
    }


def as_text(checks: Sequence[FileCheck], *, errors_csv: str) -> str:
    """The result of a check in a few lines a file."""
    lines = [line for check in checks for line in _file_lines(check)]
    if any(check.errors.num_rows for check in checks):
        lines.append(f"Every finding is in {errors_csv}.")
    else:
        lines.append("No errors.")
    return "\n".join(lines)


def causes(errors: pa.Table) -> pa.Table:
    """The most frequent causes (``CAUSES_SHOWN`` of them), errors before warnings.

    Findings of one severity, code, field and value have one cause. The columns of
    ``ERRORS_SCHEMA`` hold its first finding, with ``first_row`` for its row, ``count`` how many.
    """
    return _most_frequent(errors)[0]


def _most_frequent(errors: pa.Table) -> tuple[pa.Table, int]:
    """As ``causes``, and how many causes there are in all."""
    groups = np.zeros(errors.num_rows, dtype=np.int64)
    for name in ("severity", "code", "field", "value"):
        cells = Coded.from_column(errors[name].dictionary_encode())
        groups = groups * (len(cells.values) + 1) + cells.codes + 1
    _, first, count = np.unique(groups, return_index=True, return_counts=True)
    warning = np.asarray(pc.equal(errors["severity"], "warning"))[first]
    order = np.lexsort((first, -count, warning))[:CAUSES_SHOWN]
    found = errors.take(pa.array(first[order])).rename_columns({"row": "first_row"})
    return found.append_column("count", pa.array(count[order])), len(first)


def counts_by_code(errors: pa.Table) -> dict[str, int]:
    """The number of findings of each code, by name."""
    counted = pc.value_counts(errors["code"])
    return dict(sorted((pair["values"], pair["counts"]) for pair in counted.to_pylist()))


def _file_document(check: FileCheck) -> dict[str, Any]:
    return {
        "name": check.name,
        "rows": check.row_count,
        "records": check.record_count,
        **check.rows,
        "refused": check.refused,
        "layout": check.layout,
        "errors": check.error_count,
        "warnings": check.warning_count,
        "headings": [heading._asdict() for heading in check.headings],
        "codes": counts_by_code(check.errors),
        "findings": check.errors.slice(0, LISTED).to_pylist(),
        "findings_not_listed": max(check.errors.num_rows - LISTED, 0),
    }


def _file_lines(check: FileCheck) -> list[str]:
    layout = f" (layout {check.layout})" if check.layout and not check.refused else ""
    lines = [
        f"{on_one_line(check.name)}{layout}: {counted(check.record_count, 'record')}, "
        f"{counted(check.error_count, 'error')}, {counted(check.warning_count, 'warning')}"
    ]
    shown, number = _most_frequent(check.errors)
    lines += [_cause_line(cause) for cause in shown.to_pylist()]
    if number > shown.num_rows:
        lines.append(f"  … and {counted(number - shown.num_rows, 'more cause')}")
    if check.rows_in_words:
        lines.append(f"  {check.rows_in_words}")
    return lines


def _cause_line(cause: dict[str, Any]) -> str:
    where = "file" if cause["first_row"] is None else f"row {cause['first_row']}"
    if cause["count"] > 1:
        where = f"first in {where}"
    message = " ".join(cause["message"].split())[: 3 * SHOWN_LENGTH]
    return f"  {cause['count']:>9,} × {cause['code']} ({where}): {message}"
