"""Which column of a file holds which column of the data set.

Headings match without regard to case, white space, underscores, hyphens and dots
(docs/formats.md, data set specification).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass
from typing import Any

from core.engine.columns.as_read import NUL_SHOWN, made_visible
from core.engine.dataset.fields import Field, heading_key
from core.engine.dataset.layout_choice import chosen_layout
from core.engine.dataset.matched_headings import Heading, Layout
from core.engine.dataset.problems import finding
from core.engine.dataset.specification import Specification

__all__ = ["Heading", "Layout", "column_letter", "match_headings", "missing_fields"]


def match_headings(
    cells: list[str],
    specification: Specification,
    *,
    transpose: bool = False,
    chosen: Mapping[str, str | None] | None = None,
) -> Layout:
    """Matches a row of headings; ``chosen`` (heading to column) goes before matching.

    Where the data set has layouts, it is the one that the file has (``layout_choice``).
    """
    if not specification.layouts:
        return _matched(cells, specification, transpose=transpose, chosen=chosen or {})
    known = specification.known_headings()
    return chosen_layout(
        [
            _matched(
                cells,
                adapted,
                transpose=transpose,
                chosen=_of_layout(chosen or {}, adapted),
                among=_Among(name, specification, known),
            )
            for name, adapted in specification.by_layout.items()
        ]
    )


def missing_fields(
    columns: Collection[str | None], specification: Specification, *, transpose: bool
) -> list[str]:
    """The required fields that none of a file's columns holds; of the nearest layout, if any."""
    shapes = list(specification.by_layout.values()) or [specification]
    missing = [
        [
            field.name
            for field in shape.fields
            if field.required
            and not set(columns) & set(field.columns)
            and not (transpose and field.transpose_from)
        ]
        for shape in shapes
    ]
    return min(missing, key=len)


@dataclass(frozen=True)
class _Among:
    """A layout among those of a data set; ``known`` are the headings of all of them."""

    name: str
    specification: Specification
    known: Mapping[str, str]

    def field_of(self, key: str) -> str | None:
        """The field that a heading names in some layout."""
        beyond: dict[str, Field] = {}
        column = self.known.get(key) or _slot(key, self.specification, beyond)
        field = None if column is None else self.specification.columns.get(column)
        field = field or beyond.get(column or "")
        return None if field is None else field.name


def _of_layout(chosen: Mapping[str, str | None], adapted: Specification) -> dict[str, str | None]:
    """The choices that a layout can follow: those of its own columns, and to leave a column out."""
    return {
        heading: column
        for heading, column in chosen.items()
        if column is None or column in adapted.columns
    }


def _matched(
    cells: list[str],
    specification: Specification,
    *,
    transpose: bool,
    chosen: Mapping[str, str | None],
    among: _Among | None = None,
) -> Layout:
    transposed = _transposed_field(specification) if transpose else None
    known = specification.known_headings()
    if transposed is not None:
        known |= {heading_key(name): transposed.columns[0] for name in transposed.transpose_from}
    picked = {heading_key(heading): column for heading, column in chosen.items()}
    beyond: dict[str, Field] = {}

    def column_of(heading: str) -> str | None:
        key = heading_key(heading)
        if not key or picked.get(key) is not None:
            return picked.get(key)
        slot = known.get(key) or _slot(key, specification, beyond)
        # who leaves a column out does not leave out the codes that have no slot
        return slot if key not in picked or slot in beyond else None

    columns = [column_of(cell) for cell in cells]
    return Layout(
        headings=[
            Heading(cell.replace("\0", NUL_SHOWN), _name_of(column, transposed, beyond))
            for cell, column in zip(cells, columns, strict=True)
        ],
        columns=columns,
        findings=[
            *_unstorable(cells),
            *_missing(columns, specification, transposed, among),
            *_duplicates(cells, columns, transposed),
            *_unknown(cells, columns, specification, picked, among),
        ],
        transposed=transposed,
        beyond=beyond,
        column_of=column_of,
        name=among.name if among else None,
        required=frozenset(field.name for field in specification.fields if field.required),
    )


_DIGITS = 6
"""Digits of a slot's number; a longer one is beyond any, and need not be reckoned with."""


def _slot(key: str, specification: Specification, beyond: dict[str, Field]) -> str | None:
    """The column of a slot whose number has leading zeros; one that is not there goes beyond."""
    for form, field in specification.slot_forms:
        if match := form.fullmatch(key):
            digits = match[1]
            if len(digits) <= _DIGITS and 1 <= int(digits) <= len(field.columns):
                return field.columns[int(digits) - 1]
            column = f"{field.name} {digits}"
            beyond[column] = field
            return column
    return None


def column_letter(index: int) -> str:
    """The letters over a spreadsheet's column: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _transposed_field(specification: Specification) -> Field | None:
    return next((field for field in specification.fields if field.transpose_from), None)


def _name_of(
    column: str | None, transposed: Field | None, beyond: Container[str | None] = ()
) -> str | None:
    if column in beyond:
        return None
    if transposed is not None and column in transposed.columns:
        return transposed.name
    return column


def _unstorable(cells: list[str]) -> list[dict[str, Any]]:
    return [finding("bad-encoding/nul", row=1)] if any("\0" in cell for cell in cells) else []


def _missing(
    columns: list[str | None],
    specification: Specification,
    transposed: Field | None,
    among: _Among | None,
) -> list[dict[str, Any]]:
    there = set(columns)
    findings = [
        finding(
            "missing-column/layout" if among else "missing-column",
            field=field.name,
            shown=field.in_full,
            headings=_would_do(field),
            layout=among.name if among else "",
        )
        for field in specification.fields
        if field.required and field is not transposed and not there & set(field.columns)
    ]
    if transposed is not None and not there & set(transposed.columns):
        headings = ", ".join(transposed.transpose_from)
        findings.append(
            finding("missing-column/transpose", field=transposed.name, headings=headings)
        )
    return findings


def _would_do(field: Field) -> str:
    aliases = [alias.replace("{n}", "1") for alias in field.aliases]
    return ", ".join(dict.fromkeys([field.columns[0], *aliases]))


def _duplicates(
    cells: list[str], columns: list[str | None], transposed: Field | None
) -> list[dict[str, Any]]:
    takers: dict[str, list[str]] = {}
    for cell, column in zip(cells, columns, strict=True):
        if column is not None:
            takers.setdefault(_name_of(column, transposed) or column, []).append(_as_shown(cell))
    return [
        finding("duplicate-column", field=name, headings=", ".join(f"“{cell}”" for cell in taken))
        for name, taken in takers.items()
        if len(taken) > 1
    ]


def _unknown(
    cells: list[str],
    columns: list[str | None],
    specification: Specification,
    picked: Container[str],
    among: _Among | None,
) -> list[dict[str, Any]]:
    one_code_a_row = {
        heading_key(name) for field in specification.fields for name in field.transpose_from
    }
    findings = []
    for cell, column in zip(cells, columns, strict=True):
        key = heading_key(cell)
        if column is not None or not key or key in picked:
            continue
        heading = _as_shown(cell)
        elsewhere = among.field_of(key) if among else None
        if key in one_code_a_row:
            found = finding("unknown-column/transpose", value=heading, heading=heading)
        elif among and elsewhere:
            found = finding(
                "unknown-column/layout",
                value=heading,
                heading=heading,
                layout=among.name,
                of_field=elsewhere,
            )
        else:
            found = finding("unknown-column", value=heading, heading=heading)
        findings.append(found)
    return findings


def _as_shown(cell: str) -> str:
    """A heading as messages repeat it: in one line, with the names of what nobody can see."""
    return re.sub(r"\s+", " ", made_visible(cell.strip()))
