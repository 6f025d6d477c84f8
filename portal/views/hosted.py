"""The submitted months of clinics that a commissioner hosts, and requests to reopen them."""

from __future__ import annotations

import streamlit as st

from core.access.people import Membership, Person
from core.submissions.commands.resets import LONGEST_REASON, ask_for_reset
from core.submissions.months import SubmissionRow
from core.submissions.queries.reset_list import hosted_months, last_reset
from core.submissions.reset_requests import Reset
from core.submissions.reset_rights import asking_commissioners
from core.user_errors import UserError
from core.vocabulary.states.submissions import SubmissionState
from portal import words
from portal.components.month_doubts import show_decision
from portal.database import engine
from portal.links import link_to_page


def show(person: Person) -> None:
    """The page."""
    st.title("Hosted months")
    st.write(
        "Submitted months with charges of clinics that you host. If one has to be put right, ask "
        "for it to be opened again: an administrator decides, and the provider submits it anew."
    )
    for host in asking_commissioners(person):
        _show_host(person, host)


def _show_host(person: Person, host: Membership) -> None:
    with engine().connect() as connection:
        months = hosted_months(connection, person.scope, str(host.code))
        resets = {month.id: last_reset(connection, person.scope, month.id) for month in months}
    st.subheader(words.plain(str(host.name)))
    if not months:
        st.write("No provider has submitted a month with charges of your clinics yet.")
    for month in months:
        with st.container(border=True, key=f"hosted-{host.code}-{month.id}"):
            left, right = st.columns([4, 1], vertical_alignment="center")
            left.markdown(f"**{month.month_text}**, {words.plain(month.provider_name)}")
            with right:
                link_to_page("charges", "Look at the charges", month)
            if month.run_id is not None:
                show_decision(month.run_id, own=False)
            if month.state == SubmissionState.RESET_ASKED:
                _show_asked(resets[month.id])
            else:
                _show_refused(resets[month.id])
                _ask(person, host, month)


def _show_asked(reset: Reset | None) -> None:
    if reset is not None:
        st.info(
            f"{words.plain(reset.host_name)} asked on {words.day(reset.asked_at.date())} for it to "
            f"be opened again: {words.plain(reset.reason)}  \nAn administrator decides."
        )


def _show_refused(last: Reset | None) -> None:
    if last is not None and last.granted is False and last.decided_at is not None:
        st.warning(
            f"Asked for before, and refused on {words.day(last.decided_at.date())}: "
            f"{words.plain(last.answer or '')}"
        )


def _ask(person: Person, host: Membership, month: SubmissionRow) -> None:
    with (
        st.expander("Ask for this month to be opened again"),
        st.form(f"ask-{host.code}-{month.id}", border=False),
    ):
        reason = st.text_area(
            "Why",
            max_chars=LONGEST_REASON,
            placeholder="What is wrong in the charges; the provider reads this.",
        )
        if st.form_submit_button("Ask", type="primary"):
            _request(person, host, month, reason)


def _request(person: Person, host: Membership, month: SubmissionRow, reason: str) -> None:
    try:
        with engine().begin() as connection:
            code = str(host.code)
            ask_for_reset(connection, month.id, host=code, reason=reason, user_id=person.id)
    except UserError as wrong:
        st.error(words.plain(str(wrong)))
    else:
        st.rerun()
