"""A figure from month to month, beside the median of the others; readable in grey."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from core.kpis.results import Result
from portal import words


def show_trend(history: Sequence[Result]) -> None:
    """Shows a line chart, and the same figures as a table for people who cannot see it."""
    rows = [
        (words.month(result.month), result.month, who, float(value))
        for result in history
        for who, value in (
            (result.provider, result.value),
            ("others (median)", result.peers.median if result.peers else None),
        )
        if value is not None
    ]
    if not rows:
        st.caption("Nothing to draw yet.")
        return
    frame = pd.DataFrame(rows, columns=["Month", "at", "Who", "Value"])
    line = (
        alt.Chart(frame)
        .mark_line(point=True, color="#1F3A4D")
        .encode(
            x=alt.X("Month", sort=alt.SortField("at"), title=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("Value", title=history[0].kpi.unit, scale=alt.Scale(zero=True)),
            strokeDash=alt.StrokeDash("Who", legend=alt.Legend(title=None, orient="bottom")),
        )
        .properties(height=220)
    )
    st.altair_chart(line)
    old = [words.month(result.month) for result in history if result.taken_over]
    if old:
        when = old[0] if len(old) == 1 else f"{old[0]} to {old[-1]}"
        st.caption(f"Figures of the old service: {words.count(len(old), 'month')}, {when}.")
    table = frame.pivot_table(index="Who", columns="Month", values="Value", sort=False)
    st.dataframe(table.round(2))
