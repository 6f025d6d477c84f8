"""Brings a tariff into the service: first what it would change, then the change itself."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from core.access.people import Person
from core.configurations.consequences import Consequences
from core.configurations.importing import Change
from core.engine.tariff.months import Month, parse_month
from core.operations.dataset_import import NamedText, import_together
from core.user_errors import UserError
from portal import words
from portal.components.document_chooser import choose_documents
from portal.database import engine

_REFUSED, _LEFT, _ANEW = "are not touched: refuse it", "stay as they are", "are calculated anew"


def show_import(person: Person) -> None:
    """The section of the page, for who may bring tariffs into force."""
    with st.expander("Bring in a tariff", key="import-tariff"):
        st.caption(
            "A tariff in force is never overwritten: a change becomes a revision that holds from a "
            "month on. Data sets are brought in with `grouper import`, which an operator runs."
        )
        documents = choose_documents("Tariffs (YAML)", key="tariff-files")
        left, right = st.columns([1, 3])
        since = left.text_input("It holds from", placeholder="2017-04", key="tariff-since")
        why = right.text_input("Why", placeholder="for a change of a tariff in force", key="why")
        touched = st.radio(
            "Submitted months that it reaches", [_REFUSED, _LEFT, _ANEW], key="tariff-touched"
        )
        if not documents:
            return
        with st.container(horizontal=True):
            look = st.button("What would change")
            bring = st.button("Bring it in", type="primary")
        if look or bring:
            _import(person, documents, (since, why, touched), keep=bring)


def _import(
    person: Person, texts: list[NamedText], answers: tuple[str, str, str], *, keep: bool
) -> None:
    since, why, touched = answers
    try:
        change = Change(
            since=_month(since),
            why=why,
            leave_submitted=touched == _LEFT,
            reprocess=touched == _ANEW,
        )
        with engine().connect() as connection:
            _, consequences = import_together(connection, texts, user_id=person.id, change=change)
            if keep:
                connection.commit()
    except UserError as refused:
        st.error(words.plain(str(refused)))
        return
    _show(consequences, kept=keep)


def _month(text: str) -> dt.date | None:
    return Month.of(parse_month(text)).first if text.strip() else None


def _show(consequences: Consequences, *, kept: bool) -> None:
    st.success("It is brought in." if kept else "Nothing is changed yet. This would change:")
    sentences = consequences.sentences or ["No month that was begun changes."]
    st.markdown("\n".join(f"- {words.plain(sentence)}" for sentence in sentences))
