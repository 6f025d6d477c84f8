"""Users on the page Accounts: add, end, reactivate, end their sign-ins."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.access import users as commands
from core.access.people import Person
from core.access.sessions import SessionRow, revoke_all, revoke_session, sessions_in_use
from core.access.users import UserRow
from portal import words
from portal.acting import act
from portal.database import engine
from portal.lazy_tabs import show_in_popover

SHOWN = 40


def show_users(person: Person) -> None:
    """The section of the page."""
    with st.expander("Add a user"):
        _add(person)
    search = st.text_input("Search", placeholder="a name or an e-mail address", key="find-user")
    with engine().connect() as connection:
        users = commands.list_users(connection, person.scope, search=search)
        sessions = sessions_in_use(connection, person.scope)
    if not users:
        st.write("Nobody fits.")
    for user in users[:SHOWN]:
        _show(person, user, [each for each in sessions if each.user_id == user.id])
    if len(users) > SHOWN:
        st.caption(f"{len(users) - SHOWN} more; search for fewer.")


def _add(person: Person) -> None:
    with st.form("add-user", border=False, clear_on_submit=True):
        left, right = st.columns(2)
        name = left.text_input("Name")
        email = right.text_input("E-mail")
        subject = left.text_input(
            "What the sign-in calls them", help="The claim `sub` of your OpenID provider."
        )
        if st.form_submit_button("Add", type="primary"):
            act(
                lambda c: commands.add_user(c, subject, name, email, user_id=person.id),
                f"{name} may sign in",
            )


def _show(person: Person, user: UserRow, sessions: list[SessionRow]) -> None:
    with st.container(border=True):
        left, right = st.columns([4, 1], vertical_alignment="center")
        with left:
            ended = "" if user.active else " :red-badge[access ended]"
            st.markdown(f"**{words.plain(user.name)}**{ended}")
            roles = words.plain("; ".join(user.roles) or "No role today")
            st.caption(f"{words.plain(user.subject)}. {roles}. {_seen(user)}")
        with right:
            show_in_popover("Change", f"user-{user.id}", partial(_change, person, user, sessions))


def _seen(user: UserRow) -> str:
    if user.last_seen is None:
        return "Never signed in."
    return f"Last here {words.moment(user.last_seen)} UTC."


def _change(person: Person, user: UserRow, sessions: list[SessionRow]) -> None:
    for session in sessions:
        _offer_end(person, session)
    if sessions and st.button("End every sign-in", key=f"sessions-of-{user.id}"):
        act(lambda c: revoke_all(c, user.id, user_id=person.id), "Every sign-in is ended")
    if user.active:
        if st.button("End access", key=f"end-user-{user.id}", disabled=user.id == person.id):
            act(
                lambda c: commands.end_user(c, user.id, user_id=person.id),
                f"{user.name} comes in no more",
            )
    elif st.button("Let in again", key=f"let-in-{user.id}"):
        act(
            lambda c: commands.reactivate_user(c, user.id, user_id=person.id),
            f"{user.name} may sign in again",
        )


def _offer_end(person: Person, session: SessionRow) -> None:
    where = f" from {words.plain(session.address)}" if session.address else ""
    st.caption(f"Signed in {words.moment(session.started_at)} UTC{where}")
    if st.button("End this sign-in", key=f"session-{session.id}"):
        act(lambda c: revoke_session(c, session.id, user_id=person.id), "The sign-in is ended")
