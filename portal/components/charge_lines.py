"""The single charges; the reasons of a chosen one are shown."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.submissions.queries.charge_list import (
    PAGE,
    ChargeFilter,
    ChargeLine,
    VisibleRun,
    lines_of,
)
from portal import words
from portal.components.charge_names import ChargeNames
from portal.components.charge_reasons import show_reasons
from portal.database import engine

_BEFORE = "Also charged in"
_CHOOSE = "Choose a charge in the table, by the box at its left, to see why it is there."


def show_lines(run: VisibleRun, chosen: ChargeFilter, count: int, names: ChargeNames) -> None:
    """The section of the page."""
    if not count:
        return
    st.subheader("Charges one by one")
    pages = -(-count // PAGE)
    page = 1
    if pages > 1:
        page = int(st.number_input(f"Page, of {pages:,}", 1, pages, 1, key="charge-page"))
    with engine().connect() as connection:
        lines = lines_of(connection, run, chosen, page=page - 1)
    at = _table(lines, names)
    if at is None:
        st.caption(_CHOOSE)
        return
    show_reasons(run, lines[at], names.currencies)


def _table(lines: list[ChargeLine], names: ChargeNames) -> int | None:
    """Shows the charges; returns the index of the chosen one."""
    shown = [*names.labels.short, "Currency", "Rate", "Amount", "Commissioner"]
    frame = pd.DataFrame(
        [
            (
                line.clinic_id,
                line.patient_id,
                line.attendance_date,
                words.named(line.currency, names.currencies.get(line.currency)),
                line.rate_type,
                line.amount_pence / 100,
                names.areas.get(line.commissioner or "", line.commissioner or "nobody"),
                line.before,
            )
            for line in lines
        ],
        columns=[*shown, _BEFORE],
    )
    if frame[_BEFORE].isna().all():
        frame = frame[shown]
    event: Any = st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        height=320,
        on_select="rerun",
        selection_mode="single-row",
        key="charge-table",
        column_config={
            "Amount": st.column_config.NumberColumn(format="£%,.2f"),
            names.labels.short[2]: st.column_config.DateColumn(format="D MMMM YYYY"),
        },
        alt=f"{words.count(len(lines), 'charge')}",
    )
    rows = event.selection.rows
    return rows[0] if rows and rows[0] < len(lines) else None
