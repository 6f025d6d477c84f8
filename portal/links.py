"""Links from one page to another that keep provider and month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.access.people import Person
from core.submissions.months import SubmissionRow
from core.vocabulary.permissions import Action

_PAGES = "pages of the visitor"


def remember_pages(pages: Mapping[str, Any]) -> None:
    """Stores the visitor's pages by address; there are no links to other pages."""
    st.session_state[_PAGES] = dict(pages)


def has_page(address: str) -> bool:
    """Whether the visitor has a page of that address."""
    return address in st.session_state[_PAGES]


def report_label(person: Person, organisation_id: int | None) -> str:
    """The text of the link to the reports of an organisation."""
    full = person.may(Action.SEE_BACKING_DATA, organisation_id)
    return "Get the Backing Data" if full else "Get a report"


def link_to_page(address: str, label: str, submission: SubmissionRow | None = None) -> None:
    """A link to another page, about the same provider and month."""
    query = {}
    if submission is not None:
        query = {"provider": submission.provider, "month": f"{submission.month:%Y-%m}"}
        if submission.service:
            query["dataset"] = submission.dataset
    link_to_address(address, label, query)


def link_to_address(address: str, label: str, query: Mapping[str, str]) -> None:
    """A link to another page; nothing where the visitor has no such page."""
    page = st.session_state[_PAGES].get(address)
    if page is not None:
        st.page_link(page, label=label, query_params=dict(query))
