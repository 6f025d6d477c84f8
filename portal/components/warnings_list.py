"""The warnings of a file: they are confirmed where the values are right."""

from __future__ import annotations

import streamlit as st

from core.access.people import Person
from core.submissions.commands.confirming import confirm, confirmed_in, key_of, reopen_warning
from core.submissions.error_cause import Cause
from core.submissions.queries.file_list import FileRow
from portal import words
from portal.acting import act
from portal.database import engine

SHOWN = 30


def show_warnings(person: Person, file: FileRow, warnings: list[Cause]) -> None:
    """The section of the page; nothing where there is no warning."""
    if not warnings:
        return
    with engine().connect() as connection:
        confirmed = confirmed_in(connection, person.scope, file.id)
    waiting = [cause for cause in warnings if key_of(cause) not in confirmed]
    agreed = [cause for cause in warnings if key_of(cause) in confirmed]
    state = f"{len(waiting)} to look at" if waiting else "all confirmed"
    with st.expander(
        f"{words.count(file.warnings, 'warning')}, {state}: they do not block submission"
    ):
        if len(waiting) > 1 and st.button("Confirm all of them", key=f"confirm-all-{file.id}"):
            act(lambda c: confirm(c, file.id, waiting, user_id=person.id), "Confirmed")
        for cause in waiting[:SHOWN]:
            if _line(cause, "Confirm", file):
                _confirm(person, file, cause)
        for cause in agreed[:SHOWN]:
            if _line(cause, "Open again", file):
                _reopen(person, file, cause)


def _line(cause: Cause, label: str, file: FileRow) -> bool:
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.markdown(f"{words.plain(cause.message)} ({words.count(cause.rows, 'row')})")
    return right.button(label, key=f"{label}-{file.id}-{'-'.join(key_of(cause))}")


def _confirm(person: Person, file: FileRow, cause: Cause) -> None:
    act(lambda c: confirm(c, file.id, [cause], user_id=person.id), "Confirmed")


def _reopen(person: Person, file: FileRow, cause: Cause) -> None:
    act(lambda c: reopen_warning(c, file.id, cause, user_id=person.id), "Open again")
