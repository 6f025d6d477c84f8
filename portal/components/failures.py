"""The error queue on the operations page: what failed, with what an operator may do about it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from sqlalchemy import Connection

from core.access.people import Person
from core.events.failures import Failure, discard, list_failures
from core.operations.retrying import retry
from core.user_errors import UserError
from core.vocabulary.states.events import FailureState
from portal import words
from portal.database import engine

SHOWN = 50

Command = Callable[[Connection, Failure], object]


def show_failures(person: Person) -> None:
    """The section of the page."""
    st.subheader("Errors")
    with engine().connect() as connection:
        failures = list_failures(connection, person.scope)
    if not failures:
        st.write("Nothing waits here: whatever failed was done after all, or set aside.")
    for failure in failures[:SHOWN]:
        _show(person, failure)
    if len(failures) > SHOWN:
        st.caption(
            f"{words.count(len(failures) - SHOWN, 'more failure')}, as `grouper errors` lists."
        )


def _show(person: Person, failure: Failure) -> None:
    with st.container(border=True):
        st.markdown(f"**{failure.reference}**")
        st.text(f"{failure.kind} of {failure.title} ({failure.subject})")
        st.text(failure.reason)
        st.caption(
            f"{words.count(failure.attempts, 'attempt')}, last {words.moment(failure.last_at)} "
            f"UTC. {failure.state.text}"
        )
        if failure.detail:
            with st.expander("Where in the program"):
                st.code(failure.detail, language=None)
        if failure.state == FailureState.WAITING:
            _offer(person, failure)


def _offer(person: Person, failure: Failure) -> None:
    with st.container(horizontal=True):
        if st.button("Try again", key=f"retry-{failure.reference}"):
            _act(failure, lambda c, it: retry(c, it.reference, user_id=person.id))
        if st.button("Set aside", key=f"discard-{failure.reference}"):
            _act(failure, lambda c, it: discard(c, it.reference, user_id=person.id))


def _act(failure: Failure, command: Command) -> None:
    try:
        with engine().begin() as connection:
            command(connection, failure)
    except UserError as wrong:
        st.error(words.plain(str(wrong)))
    else:
        st.rerun()
