"""What Streamlit runs for each visit of a page: who is here, and which pages they see."""

from __future__ import annotations

import streamlit as st

from core.access.people import Person
from portal.acting import say_what_was_done
from portal.gc_freeze import spare_what_is_imported
from portal.navigation import pages_of, pages_of_a_stranger
from portal.sign_in import end_sign_in, person_on_page
from portal.style import dress


def main() -> None:
    """Shows the page that was asked for, to those who may see it."""
    spare_what_is_imported()
    st.set_page_config(page_title="Grouper", page_icon="🧮", layout="wide")
    dress()
    person = person_on_page()
    if person is None:
        st.navigation(pages_of_a_stranger(), position="hidden").run()
        return
    page = st.navigation(pages_of(person), expanded=True)
    with st.sidebar:
        _signed_in_as(person)
    say_what_was_done()
    page.run()


def _signed_in_as(person: Person) -> None:
    names = ", ".join(sorted({each.name for each in person.memberships if each.name}))
    st.markdown(f"**{person.name}**  \n{names}")
    if st.button("Sign out"):
        end_sign_in(person)


main()
