"""Shows what corrections will change, before they are made."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.access.people import Person
from core.engine.dataset.corrections import Correction
from core.submissions.commands.uploads import correct
from core.submissions.error_cause import Cause
from core.submissions.queries.file_list import FileRow
from portal import words
from portal.acting import act
from portal.sign_in import person_on_page


@dataclass(frozen=True)
class Choice:
    """A cause, and the value that will replace its value."""

    cause: Cause
    value: str
    row: int | None = None  # the only row that it is right for; None: every row of the cause

    @property
    def correction(self) -> Correction:
        return Correction(str(self.cause.field), self.cause.value or None, self.value, self.row)


@st.dialog("What will change", width="large")
def preview(person: Person, file: FileRow, chosen: list[Choice]) -> None:
    """Shows the changes, and makes them once the person confirms."""
    if person_on_page() is None:  # a dialog runs alone, without the page around it
        st.rerun()
    if not chosen:
        st.write("Nothing is chosen yet. Close this, and choose a right value for a wrong one.")
        return
    rows = sum(choice.cause.rows for choice in chosen)
    left = max(0, file.errors - rows)
    st.write(
        f"{words.count(rows, 'cell')} of {words.plain(file.name)} will be put right. "
        + (f"{words.count(left, 'error')} remain." if left else "No error remains.")
        + " Your file itself stays as it is, and each correction can be undone."
    )
    st.dataframe(
        pd.DataFrame(
            [(c.cause.field, c.cause.value or "(blank)", c.value, c.cause.rows) for c in chosen],
            columns=["Field", "Stands there", "Will stand there", "Rows"],
        ),
        hide_index=True,
        width="stretch",
        alt="The corrections that will be made",
    )
    if st.button("Apply and check again", type="primary"):
        made = [choice.correction for choice in chosen]
        act(lambda c: correct(c, file.id, made, user_id=person.id))
