"""A cause of errors: the same wrong value in the same field of a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """The same wrong value in the same field, however many rows have it."""

    field: str | None
    value: str | None
    code: str
    severity: str
    message: str
    rows: int
    first_row: int | None
