"""The errors of a file by cause, with a place to put each right for all its rows at once."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.accounts.people import Person
from core.datasets.corrections import Correction
from core.datasets.published import current_specification
from core.datasets.specification import Specification
from core.submissions.error_list import Cause, MadeCorrection, causes, corrections_made
from core.submissions.file_list import FileRow
from core.submissions.uploads import correct, undo_correction
from core.user_errors import UserError
from portal import words
from portal.database import engine

SHOWN = 25
"""Causes with a place to correct them on one page; the next follow once these are done."""


def show_errors(person: Person, file: FileRow, *, changeable: bool) -> None:
    """Lists what is wrong, offers corrections, and lists those made."""
    with engine().connect() as connection:
        specification = current_specification(connection)
        found = causes(connection, person.scope, file.id)
        made = corrections_made(connection, person.scope, file.id)
    errors = [cause for cause in found if cause.severity == "error"]
    warnings = [cause for cause in found if cause.severity == "warning"]
    if errors:
        _show_causes(errors, "errors")
    mendable = [cause for cause in errors if _can_mend(cause, specification)]
    if mendable and changeable:
        _correct(person, file, specification, mendable)
    if warnings:
        with st.expander(f"{words.count(file.warnings, 'warning')}: they do not block submission"):
            _show_causes(warnings, "warnings")
    if made:
        with st.expander(f"{words.count(len(made), 'correction')} made"):
            for correction in made:
                _show_correction(person, correction, changeable)


def _show_causes(found: list[Cause], kind: str) -> None:
    table = pd.DataFrame(
        {
            "Rows": [cause.rows for cause in found],
            "First row": [cause.first_row for cause in found],
            "Field": [cause.field or "" for cause in found],
            "Value": [cause.value or "" for cause in found],
            "What is wrong, and how to mend it": [cause.message for cause in found],
        }
    )
    table["First row"] = table["First row"].astype("Int64")
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config={"What is wrong, and how to mend it": st.column_config.Column(width="large")},
        alt=f"The {kind} of the file, grouped by cause",
    )


def _can_mend(cause: Cause, specification: Specification) -> bool:
    """A wrong value can be replaced here; the shape of a file is mended at its source."""
    return cause.field in specification.columns and cause.first_row is not None


def _correct(
    person: Person, file: FileRow, specification: Specification, mendable: list[Cause]
) -> None:
    with st.form(f"corrections-{file.id}", border=False):
        st.markdown("**Put right** — each right value replaces the wrong one in all its rows.")
        right = {
            number: _right_value(file, number, cause, specification)
            for number, cause in enumerate(mendable[:SHOWN])
        }
        if len(mendable) > SHOWN:
            st.caption(f"{len(mendable) - SHOWN} more causes follow once these are corrected.")
        if st.form_submit_button("Apply and check again", type="primary"):
            chosen = [
                Correction(str(mendable[number].field), mendable[number].value or None, value)
                for number, value in right.items()
                if value
            ]
            _apply(person, file, chosen)


def _right_value(
    file: FileRow, number: int, cause: Cause, specification: Specification
) -> str | None:
    field = specification.columns[str(cause.field)]
    label = f"{cause.field}: {cause.value or '(blank)'} in {words.count(cause.rows, 'row')}"
    key = f"right-{file.id}-{number}"
    labels = specification.codes_of(field)
    if labels:
        return st.selectbox(
            label,
            list(labels),
            index=None,
            format_func=lambda code: f"{code}: {labels[code]}",
            placeholder="Choose the right code",
            key=key,
        )
    return st.text_input(label, key=key, placeholder="The right value").strip() or None


def _apply(person: Person, file: FileRow, chosen: list[Correction]) -> None:
    try:
        with engine().begin() as connection:
            correct(connection, file.id, chosen, user_id=person.id)
    except UserError as wrong:
        st.error(str(wrong))
    else:
        st.rerun()


def _show_correction(person: Person, correction: MadeCorrection, changeable: bool) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    where = "all its rows" if correction.row is None else f"row {correction.row}"
    with left:
        st.text(
            f"{correction.field}: {correction.wrong or '(blank)'} → "
            f"{correction.value or '(blank)'} in {where}, by {correction.made_by}, "
            f"{words.moment(correction.made_at)} UTC"
        )
    with right:
        if changeable and st.button("Undo", key=f"undo-{correction.id}"):
            try:
                with engine().begin() as connection:
                    undo_correction(connection, correction.id, user_id=person.id)
            except UserError as wrong:
                st.error(str(wrong))
            else:
                st.rerun()
