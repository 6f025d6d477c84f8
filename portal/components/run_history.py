"""The runs of a month, and a comparison of any two."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.access.people import Person
from core.submissions.months import SubmissionRow
from core.submissions.queries.run_history import Difference, RunRow, compare_runs, runs_of
from core.vocabulary.states.submissions import RunState
from portal import words
from portal.database import engine

_STATES = {
    RunState.RUNNING: "running",
    RunState.PUBLISHED: "in force",
    RunState.REPLACED: "replaced",
    RunState.FAILED: "stopped",
}


def show_runs(
    person: Person, submission: SubmissionRow, names: dict[str, str], areas: dict[str, str]
) -> None:
    """The section of the page; nothing where the month was never run."""
    with engine().connect() as connection:
        runs = runs_of(connection, person.scope, submission.id)
    if not runs:
        return
    st.subheader("Runs of this month")
    _table(runs)
    comparable = [run for run in runs if run.has_charges]
    if len(comparable) > 1:
        _compare(person, comparable, names, areas)


def _table(runs: list[RunRow]) -> None:
    frame = pd.DataFrame(
        [
            (
                run.number,
                run.kind,
                _STATES[run.state],
                f"{words.moment(run.requested_at)} UTC",
                run.requested_by,
                run.tariff.text if run.tariff else "",
                run.charges,
                run.amount_pence / 100,
            )
            for run in runs
        ],
        columns=["Run", "Kind", "State", "Asked for", "By", "Tariff", "Charges", "Amount"],
    )
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        column_config={
            "Charges": st.column_config.NumberColumn(format="%,d"),
            "Amount": st.column_config.NumberColumn(format="£%,.2f"),
        },
        alt="The runs of this month",
    )


def _compare(
    person: Person, runs: list[RunRow], names: dict[str, str], areas: dict[str, str]
) -> None:
    st.markdown("**Compare two runs**")
    left, right = st.columns(2)
    before = left.selectbox("Run", runs, index=1, format_func=_title)
    after = right.selectbox("With", runs, index=0, format_func=_title)
    if before.id == after.id:
        st.write("Choose two different runs.")
        return
    with engine().connect() as connection:
        comparison = compare_runs(connection, person.scope, before.id, after.id)
    total = comparison.total
    figures = st.columns(4)
    figures[0].metric("Charges added", f"{total.added:,}")
    figures[1].metric("Gone", f"{total.gone:,}")
    figures[2].metric("Changed", f"{total.changed:,}")
    figures[3].metric("Amount", _signed(total.pence))
    currencies, payers = st.tabs(["By currency", "By commissioner"])
    with currencies:
        _differences("Currency", comparison.by_currency, names)
    with payers:
        _differences("Commissioner", comparison.by_commissioner, areas)


def _differences(heading: str, differences: list[Difference], names: dict[str, str]) -> None:
    changed = [
        difference
        for difference in differences
        if difference.added or difference.gone or difference.changed
    ]
    if not changed:
        st.write("Nothing differs.")
        return
    frame = pd.DataFrame(
        [
            (
                names.get(difference.name, difference.name)
                if difference.name
                else "Nobody is charged",
                difference.added,
                difference.gone,
                difference.changed,
                difference.pence_before / 100,
                difference.pence_after / 100,
                difference.pence / 100,
            )
            for difference in changed
        ],
        columns=[heading, "Added", "Gone", "Changed", "Before", "After", "Difference"],
    )
    money = st.column_config.NumberColumn(format="£%,.2f")
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        column_config={"Before": money, "After": money, "Difference": money},
        alt=f"What differs, by {heading.lower()}",
    )


def _title(run: RunRow) -> str:
    return f"{run.number}, {run.kind}, {_STATES[run.state]}"


def _signed(pence: int) -> str:
    return f"{'+' if pence > 0 else ''}{words.pounds(pence)}"
