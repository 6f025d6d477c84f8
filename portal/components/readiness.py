"""What a month needs before it can be submitted: done, or with a link to the place to do it."""

from __future__ import annotations

import streamlit as st

from core.accounts.today import today
from core.submissions.commands.requests import About, Obstacle
from core.submissions.months import SubmissionRow
from core.submissions.queries.calendar import CalendarMonth
from portal import words
from portal.links import link_to_page

_DONE: dict[About, str] = {
    "files": "Every file is checked and has no errors.",
    "clinics": "Every clinic has a host authority.",
    "tariff": "A tariff is in force for this month.",
}
_WHERE = {"files": ("upload", "Go to the files"), "clinics": (None, "See New clinics above")}


def show_readiness(
    submission: SubmissionRow, missing: list[Obstacle], month: CalendarMonth | None
) -> None:
    """The list."""
    st.subheader("Not ready yet" if missing else "Ready")
    with st.container(border=True, key="readiness"):
        for about, done in _DONE.items():
            standing = [each for each in missing if each.about == about]
            if standing:
                _show_missing(submission, about, standing)
            else:
                st.markdown(f":green-badge[done] {done}")
        _show_deadline(month)


def _show_missing(submission: SubmissionRow, about: str, standing: list[Obstacle]) -> None:
    left, right = st.columns([5, 2], vertical_alignment="center")
    left.markdown(
        "  \n".join(f":orange-badge[to do] {words.plain(each.text)}" for each in standing)
    )
    page, label = _WHERE.get(about, (None, "Ask the lead commissioner of your area"))
    with right:
        if page is not None:
            link_to_page(page, label, submission)
        else:
            st.caption(label)


def _show_deadline(month: CalendarMonth | None) -> None:
    if month is None or month.due is None:
        return
    if month.due < today():
        st.markdown(f":red-badge[late] It was due on {words.day(month.due)}.")
    else:
        st.markdown(f":blue-badge[due] It is due on {words.day(month.due)}.")
