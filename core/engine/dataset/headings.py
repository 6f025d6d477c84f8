"""Which column of a file holds which column of the data set.

Headings match without regard to case, white space, underscores, hyphens and dots
(docs/formats.md, data set specification).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, NamedTuple

from core.engine.columns.as_read import NUL_SHOWN, made_visible
from core.engine.dataset.fields import Field, heading_key
from core.engine.dataset.problems import finding
from core.engine.dataset.specification import Specification


class Heading(NamedTuple):
    """A heading as uploaded, and its column.

    ``column`` is a column of the standard layout; the field's name for the column of codes of a
    transposed file; None where nothing matches.
    """

    heading: str
    column: str | None


@dataclass(frozen=True)
class Layout:
    """The headings of a file, matched.

    ``columns``: for each column of the file its column in the standard layout or None; the codes
    of a transposed file stand in the first slot until they are transposed. A slot that the data
    set does not have is called as it would be, and stands in ``beyond`` with its field.
    """

    headings: list[Heading]
    columns: list[str | None]
    findings: list[dict[str, Any]]
    transposed: Field | None
    beyond: Mapping[str, Field] = dataclass_field(default_factory=dict)
    column_of: Callable[[str], str | None] = str

    @property
    def missing(self) -> bool:
        """Whether a required column is not there."""
        return any(each["code"] == "missing-column" for each in self.findings)


def match_headings(
    cells: list[str],
    specification: Specification,
    *,
    transpose: bool = False,
    chosen: Mapping[str, str | None] | None = None,
) -> Layout:
    """Matches a row of headings; ``chosen`` (heading to column) goes before matching."""
    transposed = _transposed_field(specification) if transpose else None
    known = specification.known_headings()
    if transposed is not None:
        known |= {heading_key(name): transposed.columns[0] for name in transposed.transpose_from}
    picked = {heading_key(heading): column for heading, column in (chosen or {}).items()}
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
            *_missing(columns, specification, transposed),
            *_duplicates(cells, columns, transposed),
            *_unknown(cells, columns, specification, picked),
        ],
        transposed=transposed,
        beyond=beyond,
        column_of=column_of,
    )


def _slot(key: str, specification: Specification, beyond: dict[str, Field]) -> str | None:
    """The column of a slot whose number has leading zeros; one that is not there goes beyond."""
    for form, field in specification.slot_forms:
        if match := form.fullmatch(key):
            number = int(match[1])
            if 1 <= number <= len(field.columns):
                return field.columns[number - 1]
            column = f"{field.name} {number}"
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
    columns: list[str | None], specification: Specification, transposed: Field | None
) -> list[dict[str, Any]]:
    there = set(columns)
    findings = [
        finding("missing-column", field=field.name, headings=_would_do(field))
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
    picked: Mapping[str, str | None],
) -> list[dict[str, Any]]:
    one_code_a_row = {
        heading_key(name) for field in specification.fields for name in field.transpose_from
    }
    findings = []
    for cell, column in zip(cells, columns, strict=True):
        key = heading_key(cell)
        if column is not None or not key or key in picked:
            continue
        wording = "/transpose" if key in one_code_a_row else ""
        heading = _as_shown(cell)
        findings.append(finding(f"unknown-column{wording}", value=heading, heading=heading))
    return findings


def _as_shown(cell: str) -> str:
    """A heading as messages repeat it: in one line, with the names of what nobody can see."""
    return re.sub(r"\s+", " ", made_visible(cell.strip()))
