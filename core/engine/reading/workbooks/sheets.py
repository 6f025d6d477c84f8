"""Chooses the sheet of a workbook that is read, and reports the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from core.engine.columns.marks import DATE_CELL, bare_text
from core.engine.dataset.headings import match_headings
from core.engine.dataset.problems import finding
from core.engine.dataset.specification import Specification
from core.engine.reading.refusal import RefusedError
from core.user_errors import UserError

TOP_ROWS = 20
"""Filled rows of a sheet among which its headings are looked for."""

_DATE = re.compile(f"{DATE_CELL}|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$")


class Named(Protocol):
    """A sheet: what stands on its tab, and whether a person sees it."""

    @property
    def name(self) -> str: ...
    @property
    def visible(self) -> bool: ...


SomeSheet = TypeVar("SomeSheet", bound=Named)


@dataclass(frozen=True)
class SheetTop:
    """The first filled rows of a sheet, as marked texts; ``full``: no row of it is free."""

    name: str
    visible: bool
    rows: list[list[str]]
    full: bool = False


def sheet_to_read(sheets: Sequence[SomeSheet], wanted: str | None) -> SomeSheet:
    """The first visible sheet, or the one called ``wanted``.

    Raises ``RefusedError`` where there is none, ``UserError`` where the one wanted is not there.
    """
    visible = [sheet for sheet in sheets if sheet.visible]
    if wanted is None:
        if not visible:
            raise RefusedError(finding("unreadable-file/no-sheet"))
        return visible[0]
    named = [sheet for sheet in visible if sheet.name == wanted]
    named += [sheet for sheet in visible if _key(sheet.name) == _key(wanted)]
    if not named:
        names = ", ".join(f"“{sheet.name}”" for sheet in visible)
        raise UserError(f"There is no visible sheet “{wanted}” in the workbook; it has {names}.")
    return named[0]


def other_sheets(
    read: SheetTop, others: Sequence[SheetTop], specification: Specification, *, chosen: bool
) -> list[dict[str, Any]]:
    """The findings about the sheets that are not read."""
    findings = []
    for other in others:
        if not other.rows:
            continue
        missed = other.visible and not chosen and _holds_records(read, other, specification)
        name = "data-on-another-sheet" if missed else "sheet-not-read"
        wording = "" if other.visible else "/hidden"
        findings.append(finding(name + wording, sheet=other.name, read=read.name))
    return findings


def _holds_records(read: SheetTop, other: SheetTop, specification: Specification) -> bool:
    """Whether a sheet has records: under the required headings, or continuing the sheet read."""
    if read.full:
        return True
    under = range(len(other.rows) - 1)
    if any(_are_headings(other.rows[at], specification) for at in under):
        return True
    return bool(read.rows) and _goes_on(read.rows[0], other.rows[0], specification)


def _are_headings(row: list[str], specification: Specification) -> bool:
    cells = [bare_text(cell) for cell in row]
    ways = [match_headings(cells, specification, transpose=way) for way in (False, True)]
    return any(not layout.missing for layout in ways)


def _goes_on(headings: list[str], row: list[str], specification: Specification) -> bool:
    """Whether the row could be a record of these headings: a date, and no required field blank."""
    cells = [bare_text(cell) for cell in headings]
    layout = match_headings(cells, specification)
    specification = specification.in_layout(layout.name)
    held = {
        column: cell for column, cell in zip(layout.columns, row, strict=False) if column and cell
    }
    date = specification.with_role("date")
    if date is None or not _DATE.match(held.get(date.name, "")):
        return False
    return all(
        any(column in held for column in field.columns)
        for field in specification.fields
        if field.required
    )


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
