"""Why one charge is there, from the rows of the files to who pays."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import streamlit as st

from core.configurations.datasets import current_specification
from core.engine.dataset.specification import Specification
from core.submissions.queries.charge_explanation import Explanation, MergedValue, explain
from core.submissions.queries.charge_list import ChargeLine, VisibleRun, episode_of
from portal import words
from portal.database import engine


def show_reasons(run: VisibleRun, line: ChargeLine, names: dict[str, str]) -> None:
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
    st.table(
        {
            "Currency": [words.plain(_name(each, names)) for each in episode],
            "Rate": [each.rate_type for each in episode],
            "Amount": [words.pounds(each.amount_pence) for each in episode],
            "Reason": [words.plain(each.reason) for each in episode],
        },
        border="horizontal",
        hide_index=True,
        alt="The charges of the episode",
    )


def _name(line: ChargeLine, names: dict[str, str]) -> str:
    return words.named(line.currency, names.get(line.currency))


def _records(found: Explanation) -> None:
    rows = words.count(len(found.records), "record")
    st.markdown(f"**The episode, merged from {rows}**")
    with engine().connect() as connection:
        specification = current_specification(connection)
    st.table(
        {
            "Field": [words.plain(each.column) for each in found.merged],
            "Value": [words.plain(_value(each, specification)) for each in found.merged],
            "Meaning": [words.plain(_meaning(each, specification)) for each in found.merged],
            "From file": [words.plain(each.file) for each in found.merged],
            "Row": [f"{each.row:,}" for each in found.merged],
        },
        border="horizontal",
        hide_index=True,
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


def _value(found: MergedValue, specification: Specification) -> str:
    """As the file has it; a date as people write one."""
    field = specification.columns.get(found.column)
    if field is not None and field.type == "date":
        return words.day(dt.date.fromisoformat(found.value))
    return found.value


def _meaning(found: MergedValue, specification: Specification) -> str:
    field = specification.columns.get(found.column)
    return "" if field is None else specification.codes_of(field).get(found.value, "")
