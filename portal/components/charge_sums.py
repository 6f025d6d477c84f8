"""Sums of the chosen charges: figures, a chart that is readable in grey, and tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial

import altair as alt
import pandas as pd
import streamlit as st

from core.submissions.queries.charge_list import Sum
from portal import words
from portal.components.charge_names import ChargeNames
from portal.components.sums_table import show_sums_table
from portal.lazy_tabs import show_open_tab

_BARS = 12
_INK = "#4A5763"
_NAMES = alt.Axis(labelLimit=300, labelOverlap=False, labelColor=_INK)
_POUNDS = alt.Axis(labelExpr="'£' + format(datum.value, ',')", labelColor=_INK, tickCount=5)
_BAR, _SCALE = 24, 45
"""Pixels of a bar, and of the scale below the bars."""
NOBODY = "Nobody is charged"


def show_sums(sums: list[Sum], names: ChargeNames) -> None:
    """The section of the page."""
    figures = st.columns(3)
    figures[0].metric("Amount", words.pounds(sum(line.pence for line in sums)))
    figures[1].metric("Charges", f"{sum(line.charges for line in sums):,}")
    figures[2].metric("Commissioners", f"{len({s.commissioner for s in sums} - {None}):,}")
    if not sums:
        st.write("No charge fits. Take a filter away.")
        return
    groups: dict[str, Callable[[Sum], str]] = {
        "Currency": lambda line: names.currencies.get(line.currency) or line.currency,
        "Commissioner": lambda line: _payer(line, names.areas),
        names.labels.clinic: lambda line: line.clinic,
    }
    show_open_tab(
        {
            f"By {words.plain(heading.lower())}": partial(_group, sums, heading, name_of)
            for heading, name_of in groups.items()
        },
        "charges-by",
    )


def _payer(line: Sum, areas: Mapping[str, str]) -> str:
    return NOBODY if line.commissioner is None else areas.get(line.commissioner, line.commissioner)


def _group(sums: list[Sum], heading: str, name_of: Callable[[Sum], str]) -> None:
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for line in sums:
        total = totals[name_of(line)]
        total[0] += line.charges
        total[1] += line.pence
    frame = pd.DataFrame(
        [(name, count, pence / 100) for name, (count, pence) in totals.items()],
        columns=[heading, "Charges", "Amount"],
    ).sort_values("Amount", ascending=False)
    st.altair_chart(_bars(frame.head(_BARS), heading))
    show_sums_table(frame)


def _bars(frame: pd.DataFrame, heading: str) -> alt.Chart:
    chart: alt.Chart = (
        alt.Chart(frame.assign(Pounds=frame["Amount"].map("£{:,.2f}".format)))
        .mark_bar(color="#1F3A4D")
        .encode(
            x=alt.X("Amount", title=None, axis=_POUNDS),
            y=alt.Y(heading, sort="-x", title=None, axis=_NAMES),
            tooltip=[
                heading,
                alt.Tooltip("Pounds", title="Amount"),
                alt.Tooltip("Charges", format=","),
            ],
        )
        .properties(height=_BAR * len(frame) + _SCALE)
    )
    return chart
