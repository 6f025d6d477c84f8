"""The codes of a month that earned nothing, since a later record wrote over them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.submissions.queries.charge_list import VisibleRun
from core.submissions.queries.lost_codes import SHOWN, lost_codes
from portal import words
from portal.database import engine


def show_lost_codes(run: VisibleRun) -> None:
    """The section of the page; nothing where none was lost."""
    with engine().connect() as connection:
        found = lost_codes(connection, run)
    if not found:
        return
    number = f"The first {SHOWN} codes" if len(found) == SHOWN else words.count(len(found), "code")
    st.subheader("Codes lost by overwriting")
    st.write(
        f"{number} stood in a slot that a later record of the same episode filled with another "
        f"code, and earned nothing. In slots of their own they would have added "
        f"{words.pounds(sum(each.pence for each in found))}: give each record of a visit slots of "
        "its own, or write the visit as one record."
    )
    frame = pd.DataFrame(
        [
            (
                each.clinic_id,
                each.patient_id,
                each.attendance_date,
                each.field,
                each.value,
                each.pence / 100,
                each.file,
                each.row,
            )
            for each in found
        ],
        columns=["Clinic", "Patient", "Date", "Field", "Code", "Would add", "File", "Row"],
    )
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        height=min(320, 38 * len(frame) + 40),
        column_config={
            "Would add": st.column_config.NumberColumn(format="£%,.2f"),
            "Date": st.column_config.DateColumn(format="D MMMM YYYY"),
        },
        alt="Codes that were overwritten, and what each would have added",
    )
