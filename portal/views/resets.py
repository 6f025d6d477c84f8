"""Requests to open a submitted month again: an administrator grants or refuses them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from sqlalchemy import Connection

from core.access.people import Person
from core.submissions.commands.resets import LONGEST_REASON, grant_reset, refuse_reset
from core.submissions.queries.reset_list import list_resets
from core.submissions.reset_requests import Reset
from core.user_errors import UserError
from portal import words
from portal.database import engine

SHOWN = 50

Verb = Callable[[Connection], object]


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
            each
            for each in list_resets(connection, person.scope, everything=True)
            if each.decided_at
        ]
    if not waiting:
        st.write("Nobody asks for a month.")
    for asked in waiting:
        _show(person, asked)
    _show_decided(decided[:SHOWN])


def _show(person: Person, asked: Reset) -> None:
    with st.container(border=True):
        st.markdown(
            f"**{words.month(asked.month)}**, {words.plain(asked.provider_name)}  \n"
            f"{words.plain(asked.host_name)}: {words.plain(asked.reason)}"
        )
        st.caption(
            f"Request {asked.id}, {words.plain(asked.asked_by or 'somebody')}, "
            f"{words.moment(asked.asked_at)} UTC"
        )
        with st.form(f"reset-{asked.id}", border=False):
            answer = st.text_input("Answer", max_chars=LONGEST_REASON, key=f"answer-{asked.id}")
            with st.container(horizontal=True):
                if st.form_submit_button("Open the month again", type="primary"):
                    _decide(lambda c: grant_reset(c, asked.id, answer=answer, user_id=person.id))
                if st.form_submit_button("Refuse"):
                    _decide(lambda c: refuse_reset(c, asked.id, answer=answer, user_id=person.id))


def _decide(verb: Verb) -> None:
    try:
        with engine().begin() as connection:
            verb(connection)
    except UserError as wrong:
        st.error(str(wrong))
    else:
        st.rerun()


def _show_decided(decided: list[Reset]) -> None:
    if not decided:
        return
    st.subheader("Decided")
    table = {
        "Month": [words.month(each.month) for each in decided],
        "Provider": [each.provider_name for each in decided],
        "Asked by": [each.host_name for each in decided],
        "Reason": [each.reason for each in decided],
        "Decision": [each.decision for each in decided],
        "Answer": [each.answer or "" for each in decided],
        "Decided by": [each.decided_by or "command line" for each in decided],
    }
    st.dataframe(table, hide_index=True, width="stretch", alt="Requests that were decided")
