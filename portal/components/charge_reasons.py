"""The reasons of one charge: from the rows of the files to who pays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pandas as pd
import streamlit as st

from core.configurations.role_labels import labels_of
from core.engine.dataset.specification import Specification
from core.submissions.queries.charge_explanation import Explanation, MergedValue, explain
from core.submissions.queries.charge_list import ChargeLine, VisibleRun, episode_of
from portal import words
from portal.database import engine


def show_reasons(run: VisibleRun, line: ChargeLine, names: Mapping[str, str]) -> None:
    """The section of the page."""
    with engine().connect() as connection:
        explanation = explain(connection, run, line)
        episode = episode_of(connection, run, line)
    clinic, patient, _ = labels_of([explanation.specification]).short
    with st.container(border=True, key="why"):
        name = words.named(line.currency, names.get(line.currency))
        st.subheader(f"Why {words.plain(name)} is charged")
        st.markdown(
            f"{words.plain(patient)} {words.plain(line.patient_id)}, {words.plain(clinic.lower())} "
            f"{words.plain(line.clinic_id)}, {words.day(line.attendance_date)}: "
            f"**{words.pounds(line.amount_pence)}**"
        )
        _steps(line, explanation)
        if len(episode) > 1:
            _episode(episode, names)
        if explanation.records:
            _records(explanation)


def _steps(line: ChargeLine, explanation: Explanation) -> None:
    factor = f"{line.factor.normalize():f}"
    steps = (
        ("What fired", line.reason),
        (
            "The rate",
            f"{words.pounds(line.rate_pence)}, the {line.rate_type} rate of {explanation.tariff}.",
        ),
        ("The factor", f"{factor}. {explanation.factor}"),
        ("Who pays", explanation.payer),
    )
    for title, text in steps:
        left, right = st.columns([1, 5])
        left.markdown(f"**{title}**")
        right.markdown(words.plain(text))


def _episode(episode: list[ChargeLine], names: Mapping[str, str]) -> None:
    st.markdown("**All charges of this episode**")
    st.table(
        {
            "Currency": [words.plain(_name(line, names)) for line in episode],
            "Rate": [line.rate_type for line in episode],
            "Amount": [words.pounds(line.amount_pence) for line in episode],
            "Reason": [words.plain(line.reason) for line in episode],
        },
        border="horizontal",
        hide_index=True,
        alt="The charges of the episode",
    )


def _name(line: ChargeLine, names: Mapping[str, str]) -> str:
    return words.named(line.currency, names.get(line.currency))


def _records(explanation: Explanation) -> None:
    rows = words.count(len(explanation.records), "record")
    st.markdown(f"**The episode, merged from {rows}**")
    specification = explanation.specification
    st.table(
        {
            "Field": [words.plain(value.column) for value in explanation.merged],
            "Value": [words.plain(_value(value, specification)) for value in explanation.merged],
            "Meaning": [
                words.plain(_meaning(value, specification)) for value in explanation.merged
            ],
            "From file": [words.plain(value.file) for value in explanation.merged],
            "Row": [f"{value.row:,}" for value in explanation.merged],
        },
        border="horizontal",
        hide_index=True,
        alt="The values of the episode, and where each came from",
    )
    for lost in explanation.lost:
        worth = f"would have added {words.pounds(lost.pence)}" if lost.pence else "adds nothing"
        st.warning(
            f"{words.plain(lost.column)} = {words.plain(lost.value)} in row {lost.row} of "
            f"{words.plain(lost.file)} was overwritten by {words.plain(str(lost.by))}. "
            f"Kept in a slot of its own it {worth}."
        )
    if len(explanation.records) > 1:
        with st.expander("The records, in the order in which they were merged"):
            st.dataframe(
                pd.DataFrame(
                    [
                        {"File": record.file, "Row": record.row} | record.cells
                        for record in explanation.records
                    ]
                ).fillna(""),
                hide_index=True,
                alt="The records of the episode",
            )


def _value(merged: MergedValue, specification: Specification) -> str:
    """The value as the file has it; a date as people write it."""
    field = specification.columns.get(merged.column)
    if field is not None and field.type == "date":
        return words.day(dt.date.fromisoformat(merged.value))
    return merged.value


def _meaning(merged: MergedValue, specification: Specification) -> str:
    field = specification.columns.get(merged.column)
    return "" if field is None else specification.code_label(field, merged.value) or ""
