"""A table of charges and amounts, by the names in its first column."""

from __future__ import annotations

import pandas as pd
import streamlit as st


def show_sums_table(frame: pd.DataFrame) -> None:
    """Shows ``frame``: its columns are a name, the number of charges, and pounds."""
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        column_config={
            "Charges": st.column_config.NumberColumn(format="%,d"),
            "Amount": st.column_config.NumberColumn(format="£%,.2f"),
        },
        alt=f"Charges and amount by {frame.columns[0].lower()}",
    )
