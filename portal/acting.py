"""A button that does something: in one transaction, with what went wrong in words."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from sqlalchemy import Connection

from core.user_errors import UserError
from portal.database import engine

Verb = Callable[[Connection], object]


def act(verb: Verb, done: str = "") -> None:
    """Does it and shows the page anew, with a word of what was done; or says why not."""
    try:
        with engine().begin() as connection:
            verb(connection)
    except UserError as wrong:
        st.error(str(wrong))
    else:
        if done:
            st.session_state["done"] = done
        st.rerun()


def say_what_was_done() -> None:
    """Shows the word that ``act`` left for the page."""
    done = st.session_state.pop("done", "")
    if done:
        st.toast(done)
