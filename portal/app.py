"""The script that Streamlit runs at each visit of a page: signs in and shows the page."""

from __future__ import annotations

import streamlit as st

from core.access.people import Person
from portal import words
from portal.acting import show_done_message
from portal.gc_freeze import freeze_imported_objects
from portal.navigation import pages_of, sign_in_pages
from portal.sign_in import end_sign_in, person_on_page
from portal.style import add_style_sheet


def main() -> None:
    """Shows the requested page to a person who may see it."""
    freeze_imported_objects()
    st.set_page_config(page_title="Grouper", page_icon="🧮", layout="wide")
    add_style_sheet()
    person = person_on_page()
    if person is None:
        st.navigation(sign_in_pages(), position="hidden").run()
        return
    page = st.navigation(pages_of(person), expanded=True)
    with st.sidebar:
        _signed_in_as(person)
    show_done_message()
    page.run()


def _signed_in_as(person: Person) -> None:
    names = ", ".join(
        sorted({membership.name for membership in person.memberships if membership.name})
    )
    st.markdown(f"**{words.plain(person.name)}**  \n{words.plain(names)}")
    if st.button("Sign out"):
        end_sign_in(person)


main()
