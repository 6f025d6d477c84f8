"""What Streamlit runs for each visit of a page: who is here, and which pages they see."""

from __future__ import annotations

import streamlit as st

from core.accounts.people import Person
from portal.sign_in import end_sign_in, person_on_page
from portal.views import reports, submission, upload, welcome


def main() -> None:
    """Shows the page that was asked for, to those who may see it."""
    st.set_page_config(page_title="Grouper", page_icon="🧮", layout="wide")
    person = person_on_page()
    if person is None:
        welcome.show()
        return
    page = st.navigation(_pages(person))
    with st.sidebar:
        _signed_in_as(person)
    page.run()


def _pages(person: Person) -> list[st.Page]:
    pages = []
    if person.provider_ids:
        pages += [
            st.Page(lambda: upload.show(person), title="Upload", url_path="upload"),
            st.Page(lambda: submission.show(person), title="Submission", url_path="submission"),
        ]
    pages.append(st.Page(lambda: reports.show(person), title="Reports", url_path="reports"))
    return pages


def _signed_in_as(person: Person) -> None:
    names = ", ".join(sorted({each.name for each in person.memberships if each.name}))
    st.markdown(f"**{person.name}**  \n{names}")
    if st.button("Sign out"):
        end_sign_in(person)


main()
