"""What a person reads after a check: counts, and the errors grouped by their cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from core.datasets.checking import FileCheck
from core.datasets.problems import SHOWN_LENGTH

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
    """Findings grouped by code, field and value with their ``count``, the most frequent first.

    Columns: severity, code, field, value, message, first_row (null for the whole file), count.
    """
    keys = ["severity", "code", "field", "value", "message"]
    groups = errors.group_by(keys).aggregate([("row", "min"), ([], "count_all")])
    groups = groups.rename_columns([*keys, "first_row", "count"])
    order = [("severity", "ascending"), ("count", "descending"), ("first_row", "ascending")]
    return groups.sort_by([*order, ("field", "ascending"), ("message", "ascending")])


def counts_by_code(errors: pa.Table) -> dict[str, int]:
    """How often each code was found, by name."""
    counted = pc.value_counts(errors["code"])
    return dict(sorted((pair["values"], pair["counts"]) for pair in counted.to_pylist()))


def _file_document(check: FileCheck) -> dict[str, Any]:
    return {
        "name": check.name,
        "rows": check.row_count,
        "records": check.record_count,
        "refused": check.refused,
        "errors": check.error_count,
        "warnings": check.warning_count,
        "headings": [heading._asdict() for heading in check.headings],
        "codes": counts_by_code(check.errors),
        "findings": check.errors.slice(0, LISTED).to_pylist(),
        "findings_not_listed": max(check.errors.num_rows - LISTED, 0),
    }


def _file_lines(check: FileCheck) -> list[str]:
    lines = [
        f"{check.name}: {_counted(check.record_count, 'record')}, "
        f"{_counted(check.error_count, 'error')}, {_counted(check.warning_count, 'warning')}"
    ]
    groups = causes(check.errors)
    lines += [_cause_line(cause) for cause in groups.slice(0, CAUSES_SHOWN).to_pylist()]
    if groups.num_rows > CAUSES_SHOWN:
        lines.append(f"  … and {_counted(groups.num_rows - CAUSES_SHOWN, 'more cause')}")
    return lines


def _cause_line(cause: dict[str, Any]) -> str:
    where = f"row {cause['first_row']}" if cause["first_row"] is not None else "file"
    if cause["count"] > 1:
        where = f"first in {where}"
    message = " ".join(cause["message"].split())[: 3 * SHOWN_LENGTH]
    return f"  {cause['count']:>9,} × {cause['code']} ({where}): {message}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
