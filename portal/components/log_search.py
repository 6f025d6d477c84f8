"""The log groups: the chosen one is searched by time, subject and text."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from core.access.people import Person
from core.events.log_groups import LogPost, LogSearch, log_groups, search
from portal import words
from portal.database import engine

SHOWN = 100
_SPANS = {
    "the last hour": dt.timedelta(hours=1),
    "the last day": dt.timedelta(days=1),
    "the last week": dt.timedelta(days=7),
    "all time": None,
}


def show_log_groups(person: Person) -> None:
    """The section of the page."""
    st.subheader("Logs")
    with engine().connect() as connection:
        names = [group.name for group in log_groups(connection, person.scope)]
    if not names:
        st.write("Nothing has been logged yet.")
        return
    query = _ask(names)
    with engine().connect() as connection:
        posts = search(connection, person.scope, query, limit=SHOWN)
    if not posts:
        st.write("No post fits.")
        return
    _show(posts)
    if len(posts) == SHOWN:
        st.caption(f"The newest {SHOWN}; search for fewer, or use `grouper logs`.")


def _ask(names: list[str]) -> LogSearch:
    group, span, subject, text = st.columns([2, 2, 2, 3])
    chosen = group.selectbox("Group", names, index=_first(names))
    since = _SPANS[span.selectbox("From", list(_SPANS), index=1)]
    about = subject.text_input("Subject", placeholder="file/12").strip()
    part = text.text_input("Text", placeholder="a part of it").strip()
    return LogSearch(
        group=chosen,
        since=dt.datetime.now(dt.UTC) - since if since else None,
        subject=about or None,
        text=part or None,
    )


def _first(names: list[str]) -> int:
    """The index of the group of errors, which is searched most."""
    return names.index("operations") if "operations" in names else 0


def _show(posts: list[LogPost]) -> None:
    st.table(
        {
            "Time (UTC)": [words.instant(post.at) for post in posts],
            "Subject": [words.plain(post.subject) for post in posts],
            "Text": [words.plain(post.text) for post in posts],  # a table reads Markdown
        },
        border="horizontal",
        hide_index=True,
        alt="Posts of the log group, newest first",
    )
