"""Suggested values for wrong ones: as corrected before, by the label of a code, or the nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.database import tables
from core.engine.dataset.corrections import is_right_everywhere
from core.engine.dataset.specification import Specification
from core.submissions.error_cause import Cause
from core.submissions.scoped import files_in
from core.vocabulary.permissions import Action
from core.vocabulary.states.submissions import FileState

WHY = {
    "remembered": "as you corrected it in {source}",
    "label": "it is the label of this code",
    "near": "the nearest code",
}
NEAR = 0.75
"""The least similarity of a value to a code, 0 to 1."""

FieldValue = tuple[str, str]
"""Field and wrong value; a blank is the empty text."""


@dataclass(frozen=True)
class Suggestion:
    """A suggested value. ``sure``: it is preselected until a person chooses another."""

    value: str
    reason: str
    source: str = ""

    @property
    def sure(self) -> bool:
        return self.reason != "near"

    @property
    def why(self) -> str:
        return WHY[self.reason].format(source=self.source)


def suggestions(
    connection: Connection,
    scope: Scope,
    file_id: int,
    causes: Sequence[Cause],
    specification: Specification,
) -> dict[FieldValue, Suggestion]:
    """A suggestion for each cause that has one."""
    before = _remembered(connection, scope, file_id)
    columns = specification.columns
    by_field_value = {}
    for cause in causes:
        place = (cause.field or "", cause.value or "")
        if place[0] in columns and not is_right_everywhere(columns[place[0]], cause.value):
            continue
        suggestion = before.get(place) or suggestion_from_codes(
            _codes(cause, specification), place[1]
        )
        if suggestion is not None:
            by_field_value[place] = suggestion
    return by_field_value


def suggestion_from_codes(codes: Mapping[str, str], value: str) -> Suggestion | None:
    """The code whose label the value is, else the nearest code, else None."""
    labels = {label.casefold(): code for code, label in codes.items()}
    code = labels.get(value.strip().casefold())
    if code is not None:
        return Suggestion(code, "label")
    near = get_close_matches(value, list(codes), n=1, cutoff=NEAR) if value else []
    return Suggestion(near[0], "near") if near else None


def _codes(cause: Cause, specification: Specification) -> dict[str, str]:
    field = specification.columns.get(cause.field or "")
    return specification.codes_of(field) if field else {}


def _remembered(connection: Connection, scope: Scope, file_id: int) -> dict[FieldValue, Suggestion]:
    """The latest correction of each wrong value in the provider's other files."""
    made, files, months = tables.corrections, tables.files, tables.submissions
    its_month = months.alias("its_month")
    of_file = (
        sa.select(its_month.c.provider_id, its_month.c.dataset)
        .join(files, files.c.submission_id == its_month.c.id)
        .where(files.c.id == file_id)
    )
    query = (
        sa.select(made.c.field, made.c.wrong, made.c.value, files.c.name)
        .distinct(made.c.field, made.c.wrong)
        .join(files, files.c.id == made.c.file_id)
        .join(months, months.c.id == files.c.submission_id)
        .where(
            sa.tuple_(months.c.provider_id, months.c.dataset).in_(of_file),
            made.c.file_id != file_id,
            files.c.state != FileState.REMOVED,
            made.c.undone_at.is_(None),
            made.c.row.is_(None),
            made.c.value.is_not(None),
            files_in(scope, made.c.file_id, Action.UPLOAD, Action.CORRECT),
        )
        .order_by(made.c.field, made.c.wrong, made.c.id.desc())
    )
    return {
        (row.field, row.wrong or ""): Suggestion(row.value, "remembered", row.name)
        for row in connection.execute(query)
    }
