"""Why one charge is there, from the rows of the files to who pays."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.datasets.published import current_specification
from core.submissions.charge_explaining import Explanation, explain
from core.submissions.charge_list import ChargeLine, SeenRun, episode_of
from portal import words
from portal.database import engine


def show_reasons(run: SeenRun, line: ChargeLine, names: dict[str, str]) -> None:
    """The section of the page."""
    with engine().connect() as connection:
        found = explain(connection, run, line)
        episode = episode_of(connection, run, line)
    with st.container(border=True, key="why"):
        name = words.named(line.currency, names.get(line.currency))
        st.subheader(f"Why {words.plain(name)} is charged")
        st.markdown(
            f"Patient {words.plain(line.patient_id)} at clinic {words.plain(line.clinic_id)} on "
            f"{words.day(line.attendance_date)}: **{words.pounds(line.amount_pence)}**"
        )
        _steps(line, found)
        if len(episode) > 1:
            _episode(episode, names)
        if found.records:
            _records(found)


def _steps(line: ChargeLine, found: Explanation) -> None:
    factor = f"{line.factor.normalize():f}"
    steps = (
        ("What fired", line.reason),
        (
            "The rate",
            f"{words.pounds(line.rate_pence)}, the {line.rate_type} rate of {found.tariff}.",
        ),
        ("The factor", f"{factor}. {found.factor}"),
        ("Who pays", found.payer),
    )
    for title, text in steps:
        left, right = st.columns([1, 5])
        left.markdown(f"**{title}**")
        right.markdown(words.plain(text))


def _episode(episode: list[ChargeLine], names: dict[str, str]) -> None:
    st.markdown("**All charges of this episode**")
    st.dataframe(
        pd.DataFrame(
            [
                (
                    words.named(each.currency, names.get(each.currency)),
                    each.rate_type,
                    each.amount_pence / 100,
                    each.reason,
                )
                for each in episode
            ],
            columns=["Currency", "Rate", "Amount", "Reason"],
        ),
        hide_index=True,
        width="stretch",
        column_config={
            "Amount": st.column_config.NumberColumn(format="£%,.2f"),
            "Reason": st.column_config.Column(width="large"),
        },
        alt="The charges of the episode",
    )


def _records(found: Explanation) -> None:
    rows = words.count(len(found.records), "record")
    st.markdown(f"**The episode, merged from {rows}**")
    with engine().connect() as connection:
        labels = current_specification(connection)
    st.dataframe(
        pd.DataFrame(
            [
                (
                    each.column,
                    each.value,
                    labels.codes_of(labels.columns[each.column]).get(each.value, "")
                    if each.column in labels.columns
                    else "",
                    each.file,
                    each.row,
                )
                for each in found.merged
            ],
            columns=["Field", "Value", "Meaning", "From file", "Row"],
        ),
        hide_index=True,
        width="stretch",
        alt="The values of the episode, and where each came from",
    )
    for lost in found.lost:
        worth = f"would have added {words.pounds(lost.pence)}" if lost.pence else "adds nothing"
        st.warning(
            f"{lost.column} = {lost.value} in row {lost.row} of {words.plain(lost.file)} was "
            f"overwritten by {lost.by}. Kept in a slot of its own it {worth}."
        )
    if len(found.records) > 1:
        with st.expander("The records, in the order in which they were merged"):
            st.dataframe(
                pd.DataFrame(
                    [{"File": each.file, "Row": each.row} | each.cells for each in found.records]
                ).fillna(""),
                hide_index=True,
                alt="The records of the episode",
            )
