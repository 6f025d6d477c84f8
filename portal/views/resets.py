"""Requests to open a submitted month again: an administrator grants or refuses them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from sqlalchemy import Connection

from core.access.people import Person
from core.submissions.commands.resets import LONGEST_REASON, grant_reset, refuse_reset
from core.submissions.months import month_and_service
from core.submissions.queries.reset_list import list_resets
from core.submissions.reset_requests import Reset
from core.user_errors import UserError
from portal import words
from portal.database import engine

SHOWN = 50

Command = Callable[[Connection], object]


def show(person: Person) -> None:
    """The page."""
    st.title("Resets")
    st.write(
        "Host commissioners ask here for a submitted month to be opened again. Granted, the "
        "month's charges are withdrawn until its provider submits it anew; everybody whom it "
        "concerns is told."
    )
    with engine().connect() as connection:
        waiting = list_resets(connection, person.scope)
        decided = [
            reset
            for reset in list_resets(connection, person.scope, everything=True)
            if reset.decided_at
        ]
    if not waiting:
        st.write("Nobody asks for a month.")
    for request in waiting:
        _show(person, request)
    _show_decided(decided[:SHOWN])


def _show(person: Person, request: Reset) -> None:
    with st.container(border=True):
        st.markdown(
            f"**{_month(request)}**, {words.plain(request.provider_name)}  \n"
            f"{words.plain(request.host_name)}: {words.plain(request.reason)}"
        )
        st.caption(
            f"Request {request.id}, {words.plain(request.asked_by or 'somebody')}, "
            f"{words.moment(request.asked_at)} UTC"
        )
        with st.form(f"reset-{request.id}", border=False):
            answer = st.text_input("Answer", max_chars=LONGEST_REASON, key=f"answer-{request.id}")
            with st.container(horizontal=True):
                if st.form_submit_button("Open the month again", type="primary"):
                    _decide(lambda c: grant_reset(c, request.id, answer=answer, user_id=person.id))
                if st.form_submit_button("Refuse"):
                    _decide(lambda c: refuse_reset(c, request.id, answer=answer, user_id=person.id))


def _month(request: Reset) -> str:
    return words.plain(month_and_service(request.month, request.service))


def _decide(command: Command) -> None:
    try:
        with engine().begin() as connection:
            command(connection)
    except UserError as wrong:
        st.error(words.plain(str(wrong)))
    else:
        st.rerun()


def _show_decided(decided: list[Reset]) -> None:
    if not decided:
        return
    st.subheader("Decided")
    table = {
        "Month": [words.month(reset.month) for reset in decided],
        "Provider": [reset.provider_name for reset in decided],
        "Asked by": [reset.host_name for reset in decided],
        "Reason": [reset.reason for reset in decided],
        "Decision": [reset.decision for reset in decided],
        "Answer": [reset.answer or "" for reset in decided],
        "Decided by": [reset.decided_by or "command line" for reset in decided],
    }
    st.dataframe(table, hide_index=True, width="stretch", alt="Requests that were decided")
