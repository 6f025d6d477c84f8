"""Runs the command of a button in one transaction; a refusal is shown in words."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from sqlalchemy import Connection

from core.user_errors import UserError
from portal import words
from portal.database import engine

Command = Callable[[Connection], object]


def act(command: Command, done: str = "") -> None:
    """Runs the command and reloads the page with the message ``done``; shows a refusal's reason."""
    try:
        with engine().begin() as connection:
            command(connection)
    except UserError as wrong:
        st.error(words.plain(str(wrong)))
    else:
        if done:
            st.session_state["done"] = done
        st.rerun()


def show_done_message() -> None:
    """Shows the message that ``act`` left for the reloaded page."""
    done = st.session_state.pop("done", "")
    if done:
        st.toast(words.plain(done))
