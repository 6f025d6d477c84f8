"""The codes of a month that earned nothing, since a later record overwrote them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.configurations.role_labels import RoleLabels
from core.submissions.queries.charge_list import VisibleRun
from core.submissions.queries.lost_codes import SHOWN, lost_codes
from portal import words
from portal.database import engine


def show_lost_codes(run: VisibleRun, labels: RoleLabels) -> None:
    """The section of the page; nothing where none was lost."""
    with engine().connect() as connection:
        losses = lost_codes(connection, run)
    if not losses:
        return
    number = (
        f"The first {SHOWN} codes" if len(losses) == SHOWN else words.count(len(losses), "code")
    )
    st.subheader("Codes lost by overwriting")
    st.write(
        f"{number} stood in a slot that a later record of the same episode filled with another "
        f"code, and earned nothing. In slots of their own they would have added "
        f"{words.pounds(sum(loss.pence for loss in losses))}: give each record of a visit slots of "
        "its own, or write the visit as one record."
    )
    frame = pd.DataFrame(
        [
            (
                loss.clinic_id,
                loss.patient_id,
                loss.attendance_date,
                loss.field,
                loss.value,
                loss.pence / 100,
                loss.file,
                loss.row,
            )
            for loss in losses
        ],
        columns=[*labels.short, "Field", "Code", "Would add", "File", "Row"],
    )
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        height=min(320, 38 * len(frame) + 40),
        column_config={
            "Would add": st.column_config.NumberColumn(format="£%,.2f"),
            labels.short[2]: st.column_config.DateColumn(format="D MMMM YYYY"),
        },
        alt="Codes that were overwritten, and what each would have added",
    )
