"""The crawls of the spider on the page Areas: begin one, follow it, decide about held answers."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from sqlalchemy import Connection

from core.access.people import Person
from core.areas.accepting import accept, ask_again
from core.areas.crawls import request_crawl
from core.areas.progress import CrawlProgress, Trouble, newest_crawls, progress_of
from core.areas.sources import find_source
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


def show_crawls(person: Person) -> None:
    """The section of the page."""
    _begin(person)
    _follow(person)


def _begin(person: Person) -> None:
    try:
        source = find_source(settings().area_source, settings().area_sources)
    except UserError as wrong:
        st.error(words.plain(str(wrong)))
        return
    st.markdown(f"Once a month the spider crawls the whole of **{words.plain(source.title)}**.")
    with st.form("crawl", border=False):
        within = st.text_input("Only within", placeholder="E12000007; empty: the whole")
        if st.form_submit_button("Crawl now", type="primary"):
            code = within.strip().upper() or None
            _act(lambda c: request_crawl(c, source, within=code, user_id=person.id))


@refreshed(seconds=2)
def _follow(person: Person) -> None:
    with engine().connect() as connection:
        crawls = [
            progress_of(connection, person.scope, number)
            for number in newest_crawls(connection, person.scope, 5)
        ]
    if not crawls:
        st.write("There was no crawl yet: the register is the one that ships with Grouper.")
    for crawl in crawls[:1]:
        _show(person, crawl)
    if len(crawls) > 1:
        st.markdown("**Earlier crawls**")
        st.markdown("\n".join(f"- {_line(crawl)}" for crawl in crawls[1:]))


def _line(crawl: CrawlProgress) -> str:
    where = f"within {words.plain(crawl.within)}" if crawl.within else "the whole"
    requested = words.moment(crawl.requested_at)
    summary = _summary(crawl.summary) if crawl.summary else crawl.state.text
    return f"{requested} UTC, {where}: {crawl.state}. {summary}"


def _summary(summary: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {word}" for word, number in summary.items())


def _show(person: Person, crawl: CrawlProgress) -> None:
    with st.container(border=True, key="last-crawl"):
        where = f"within {words.plain(crawl.within)}" if crawl.within else "the whole"
        st.markdown(
            f"**Crawl {crawl.id}**, {where} :{_COLOURS[crawl.state]}-badge[{crawl.state}]  \n"
            f"Asked for {words.moment(crawl.requested_at)} UTC. {crawl.state.text}"
        )
        if crawl.failure:
            st.error(words.plain(crawl.failure))
        if crawl.summary:
            st.markdown(f"**{_summary(crawl.summary)}**")
        if crawl.levels:
            _show_levels(crawl)
        for trouble in crawl.troubles:
            _show_trouble(person, trouble)


def _show_levels(crawl: CrawlProgress) -> None:
    if crawl.moving:
        st.progress(crawl.answered / max(crawl.known, 1))
    table = {
        heading: [getattr(level, name) for level in crawl.levels]
        for heading, name in _COLUMNS.items()
    }
    st.dataframe(table, hide_index=True, width="stretch", alt="The crawl, level by level")


def _show_trouble(person: Person, trouble: Trouble) -> None:
    st.markdown(f"**{words.plain(trouble.name)}** ({words.plain(trouble.parent)})")
    st.text(trouble.reason)
    if not trouble.held:
        st.caption("It waits in the error queue, on the page Operations.")
        return
    with st.container(horizontal=True):
        if st.button("Accept the answer", key=f"accept-{trouble.parent}"):
            _act(lambda c: accept(c, trouble.parent, user_id=person.id))
        if st.button("Ask again", key=f"ask-{trouble.parent}"):
            _act(lambda c: ask_again(c, trouble.parent, user_id=person.id))


def _act(command: Callable[[Connection], object]) -> None:
    try:
        with engine().begin() as connection:
            command(connection)
    except UserError as wrong:
        st.error(words.plain(str(wrong)))
    else:
        st.rerun()
