"""The rows of a cause, as uploaded; a single row can be corrected."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.access.people import Person
from core.engine.dataset.corrections import Correction
from core.engine.dataset.specification import Specification
from core.submissions.commands.uploads import correct
from core.submissions.error_cause import Cause
from core.submissions.queries.error_rows import SHOWN, ErrorRow, rows_of
from core.submissions.queries.file_list import FileRow
from portal import words
from portal.acting import act
from portal.database import engine


def show_rows(
    person: Person,
    file: FileRow,
    specification: Specification,
    causes: list[Cause],
    *,
    changeable: bool,
) -> None:
    """Offers the causes, and shows the rows of the chosen one."""
    in_rows = [cause for cause in causes if cause.first_row is not None]
    if not in_rows:
        return
    with st.expander("Look at the rows, as they were uploaded"):
        cause = st.selectbox(
            "Rows with",
            in_rows,
            index=None,
            format_func=lambda cause: f"{cause.field}: {cause.value or '(blank)'}, {cause.code}",
            placeholder="Choose a cause",
            key=f"rows-of-{file.id}",
        )
        if cause is None:
            return
        with engine().connect() as connection:
            rows = rows_of(connection, person.scope, file.id, cause, specification)
        _table(cause, rows)
        if changeable and cause.field in specification.columns and rows:
            _correct_one(person, file, specification, cause, rows)


def _table(cause: Cause, rows: list[ErrorRow]) -> None:
    frame = pd.DataFrame([{"Row": row.row} | row.cells for row in rows]).fillna("")
    first = ["Row", *([cause.field] if cause.field in frame else [])]
    frame = frame[[*first, *(name for name in frame if name not in first)]]
    st.dataframe(frame, hide_index=True, width="stretch", alt="The rows of the cause")
    if cause.rows > SHOWN:
        st.caption(f"The first {SHOWN} of {words.count(cause.rows, 'row')}.")


def _correct_one(
    person: Person,
    file: FileRow,
    specification: Specification,
    cause: Cause,
    rows: list[ErrorRow],
) -> None:
    labels = specification.codes_of(specification.columns[str(cause.field)])
    with st.form(f"one-row-{file.id}", border=False):
        left, right = st.columns(2)
        row = left.selectbox("Put one row right: row", [each.row for each in rows])
        if labels:
            value = right.selectbox(
                words.plain(str(cause.field)),
                list(labels),
                index=None,
                format_func=lambda code: f"{code}: {labels[code]}",
            )
        else:
            value = right.text_input(words.plain(str(cause.field))).strip() or None
        if st.form_submit_button("Put this row right") and value:
            made = [Correction(str(cause.field), cause.value or None, value, row)]
            act(lambda c: correct(c, file.id, made, user_id=person.id))
