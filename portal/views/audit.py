"""Audit: who changed or read what, when and from where; for administrators."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import streamlit as st

from core.access.audit_trail import SHOWN, AuditRow, AuditSearch, search_audit
from core.access.people import Person
from portal import words
from portal.database import engine

_SPANS = {"the last day": 1, "the last week": 7, "the last month": 31, "all time": None}


def show(person: Person) -> None:
    """The page."""
    st.title("Audit")
    st.write("Rows are only ever added. Nobody, and nothing in this portal, can change one.")
    who, what, span = st.columns([2, 3, 2])
    query = AuditSearch(
        who=who.text_input("Who", placeholder="a name"),
        what=what.text_input("What", placeholder="refused, invoice, submission:12"),
        since=_since(span.selectbox("When", list(_SPANS), index=1)),
    )
    with engine().connect() as connection:
        rows = search_audit(connection, person.scope, query)
    if not rows:
        st.write("Nothing fits.")
        return
    _show(rows)
    if len(rows) == SHOWN:
        st.caption(f"The newest {SHOWN}; search for fewer.")


def _since(span: str) -> dt.datetime | None:
    days = _SPANS[span]
    return None if days is None else dt.datetime.now(dt.UTC) - dt.timedelta(days=days)


def _show(rows: list[AuditRow]) -> None:
    table = pd.DataFrame(
        {
            "When (UTC)": [words.instant(row.at) for row in rows],
            "Who": [row.who or "the service" for row in rows],
            "From": [row.address or "" for row in rows],
            "What": [row.action for row in rows],
            "Of": [row.subject for row in rows],
            "How": [_how(row) for row in rows],  # last: it may be long
        }
    )
    st.dataframe(table, hide_index=True, width="stretch", alt="What was done, newest first")


def _how(row: AuditRow) -> str:
    moved = f"{row.from_state} → {row.to_state}" if row.to_state else ""
    detail = ", ".join(f"{name} {value}" for name, value in (row.detail or {}).items() if value)
    return "; ".join(part for part in (moved, row.reason or "", detail) if part)
