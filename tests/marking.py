"""Copies a file with its findings marked, and says what a check of file and copy found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.engine.offline.checking import FileCheck, References, check_file
from core.engine.offline.marked_copy import marks_of, write_marked_copy
from tests.small_dataset import REGISTER, SMALL

COLUMNS = ("row", "field", "severity", "message")
Found = list[tuple[Any, Any, Any]]


def checked(path: Path) -> FileCheck:
    return check_file(path, SMALL, References(lsoas=REGISTER))


def copied(path: Path, out: Path) -> list[Path]:
    """The workbooks of the marked copy."""
    check = checked(path)
    findings = zip(*(check.errors[name].to_pylist() for name in COLUMNS), strict=True)
    columns = [heading.column for heading in check.headings]
    return write_marked_copy(path, out, marks_of(findings, columns), SMALL)


def of_rows(check: FileCheck) -> Found:
    """Row, field and code of what was found in rows, but for what is wrong with the encoding."""
    columns = (check.errors[name].to_pylist() for name in ("row", "field", "code"))
    found = zip(*columns, strict=True)
    return sorted(
        (row, field or "", code)
        for row, field, code in found
        if row is not None and code != "bad-encoding"
    )
