"""The walks of the spider on the page Areas: begin one, follow it, decide of what is held."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from sqlalchemy import Connection

from core.access.people import Person
from core.areas.accepting import accept, ask_again
from core.areas.progress import Trouble, WalkProgress, newest_walks, progress_of
from core.areas.sources import find_source
from core.areas.walks import request_walk
from core.settings import settings
from core.user_errors import UserError
from core.vocabulary.states.areas import SpiderState
from portal import words
from portal.database import engine
from portal.fragments import refreshed

_COLOURS = {
    SpiderState.PLANNED: "gray",
    SpiderState.RUNNING: "blue",
    SpiderState.COMPLETE: "green",
    SpiderState.INCOMPLETE: "orange",
    SpiderState.FAILED: "red",
}
_COLUMNS = {
    "Within each": "kind",
    "Known": "known",
    "Asked": "asked",
    "Answered": "answered",
    "Failed": "failed",
    "Held": "held",
    "Areas found": "children",
}


def show_walks(person: Person) -> None:
    """The section of the page."""
    _begin(person)
    _follow(person)


def _begin(person: Person) -> None:
    try:
        source = find_source(settings().area_source, settings().area_sources)
    except UserError as wrong:
        st.error(str(wrong))
        return
    st.markdown(f"Once a month the spider walks down the whole of **{words.plain(source.title)}**.")
    with st.form("walk", border=False):
        within = st.text_input("Only within", placeholder="E12000007; empty: the whole")
        if st.form_submit_button("Walk now", type="primary"):
            code = within.strip().upper() or None
            _act(lambda c: request_walk(c, source, within=code, user_id=person.id))


@refreshed(seconds=2)
def _follow(person: Person) -> None:
    with engine().connect() as connection:
        walks = [
            progress_of(connection, person.scope, each)
            for each in newest_walks(connection, person.scope, 5)
        ]
    if not walks:
        st.write("There was no walk yet: the register is the one that ships with Grouper.")
    for walk in walks[:1]:
        _show(person, walk)
    if len(walks) > 1:
        st.markdown("**Earlier walks**")
        st.markdown("\n".join(f"- {_line(walk)}" for walk in walks[1:]))


def _line(walk: WalkProgress) -> str:
    where = f"within {walk.within}" if walk.within else "the whole"
    asked = words.moment(walk.requested_at)
    summary = _summary(walk.summary) if walk.summary else walk.state.text
    return f"{asked} UTC, {where}: {walk.state}. {summary}"


def _summary(summary: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {word}" for word, number in summary.items())


def _show(person: Person, walk: WalkProgress) -> None:
    with st.container(border=True, key="last-walk"):
        where = f"within {walk.within}" if walk.within else "the whole"
        st.markdown(
            f"**Walk {walk.id}**, {where} :{_COLOURS[walk.state]}-badge[{walk.state}]  \n"
            f"Asked for {words.moment(walk.requested_at)} UTC. {walk.state.text}"
        )
        if walk.failure:
            st.error(walk.failure)
        if walk.summary:
            st.markdown(f"**{_summary(walk.summary)}**")
        if walk.levels:
            _show_levels(walk)
        for trouble in walk.troubles:
            _show_trouble(person, trouble)


def _show_levels(walk: WalkProgress) -> None:
    if walk.moving:
        st.progress(walk.answered / max(walk.known, 1))
    table = {
        heading: [getattr(level, name) for level in walk.levels]
        for heading, name in _COLUMNS.items()
    }
    st.dataframe(table, hide_index=True, width="stretch", alt="The walk, level by level")


def _show_trouble(person: Person, trouble: Trouble) -> None:
    st.markdown(f"**{words.plain(trouble.name)}** ({trouble.parent})")
    st.text(trouble.reason)
    if not trouble.held:
        st.caption("It waits in the error queue, on the page Operations.")
        return
    with st.container(horizontal=True):
        if st.button("Accept the answer", key=f"accept-{trouble.parent}"):
            _act(lambda c: accept(c, trouble.parent, user_id=person.id))
        if st.button("Ask again", key=f"ask-{trouble.parent}"):
            _act(lambda c: ask_again(c, trouble.parent, user_id=person.id))


def _act(verb: Callable[[Connection], object]) -> None:
    try:
        with engine().begin() as connection:
            verb(connection)
    except UserError as wrong:
        st.error(str(wrong))
    else:
        st.rerun()
