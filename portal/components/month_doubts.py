"""What speaks against a month, why it is final all the same, and its warnings that still wait."""

from __future__ import annotations

import streamlit as st

from core.access.people import Person
from core.configurations.run_tariffs import tariffs_of_runs
from core.settings import settings
from core.submissions.month_doubts import ChargedBefore, MonthDoubts, decision_on
from core.submissions.months import SubmissionRow
from core.submissions.queries.open_warnings import OpenWarning, open_warnings
from portal import words
from portal.database import engine
from portal.links import link_to_address, link_to_page

SHOWN = 5


def show_doubts(submission: SubmissionRow, doubts: MonthDoubts) -> None:
    """The records of other months, and the visits that were charged before, with links."""
    if not doubts.texts:
        return
    with st.container(border=True, key="doubts"):
        asks = doubts.ask_for_a_reason(settings().outside_share)
        badge = ":red-badge[decide]" if asks else ":orange-badge[look]"
        outside = len(doubts.texts) - len(doubts.before)
        for text in doubts.texts[:outside]:
            st.markdown(f"{badge} {words.plain(text)}")
        for before in doubts.before:
            _show_before(submission, before)


def _show_before(submission: SubmissionRow, before: ChargedBefore) -> None:
    left, right = st.columns([5, 2], vertical_alignment="center")
    left.markdown(f":red-badge[decide] {words.plain(before.text)}.")
    with right:
        query = {"provider": submission.provider, "month": f"{before.month:%Y-%m}"}
        link_to_address("charges", f"Charges of {words.month(before.month)}", query)


def ask_for_a_reason(doubts: MonthDoubts) -> str | None:
    """What the person gives as the reason; None where the month needs one and has none."""
    if not doubts.ask_for_a_reason(settings().outside_share):
        return ""
    reason = st.text_area(
        "Why is this month right?",
        placeholder="For example: late records of April, which was submitted without them",
        help="Commissioners read it beside these charges.",
        key="doubts-reason",
    )
    return reason.strip() or None


def show_decision(run_id: int, *, own: bool) -> None:
    """Why a doubtful month was released, and whether it is for charging, to whoever sees its
    charges."""
    with engine().connect() as connection:
        decision = decision_on(connection, run_id)
        tariff = tariffs_of_runs(connection, [run_id]).get(run_id)
    if tariff is not None and not tariff.charges:
        st.warning(f"By {words.plain(tariff.text)}. Nobody owes these amounts.")
    if decision is not None:
        st.warning(words.plain(decision.in_full if own else decision.text))


def show_open_warnings(person: Person, submission: SubmissionRow) -> None:
    """The warnings of the month that nobody has confirmed."""
    with engine().connect() as connection:
        waiting = open_warnings(connection, person.scope, submission.id)
    if not waiting:
        return
    rows = sum(each.rows for each in waiting)
    with st.container(border=True, key="open-warnings"):
        left, right = st.columns([5, 2], vertical_alignment="center")
        left.markdown(f":orange-badge[look] **{words.count(rows, 'warning')}** not confirmed yet")
        with right:
            link_to_page("upload", "Look at the warnings", submission)
        st.markdown("\n".join(map(_line, waiting[:SHOWN])))
        if len(waiting) > SHOWN:
            st.caption(f"{words.count(len(waiting) - SHOWN, 'more cause')} on Upload.")


def _line(warning: OpenWarning) -> str:
    rows = words.count(warning.rows, "row")
    return f"- {words.plain(warning.message)} ({rows} of {words.plain(warning.file)})"
