"""A financial year of a provider as a calendar of months, each with its state and the way there."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from core.submissions.calendar import FIRST_MONTH, Month
from core.submissions.states import STAGES, SubmissionState
from portal.links import link_to_address

_IN_A_ROW = 6
_STATES = {
    SubmissionState.OPEN: ("begun", "blue"),
    SubmissionState.QUEUED: ("waiting", "blue"),
    **dict.fromkeys(STAGES, ("running", "blue")),
    SubmissionState.DRAFT: ("draft", "orange"),
    SubmissionState.SUBMITTED: ("submitted", "green"),
    SubmissionState.RESET_ASKED: ("reset asked", "orange"),
    SubmissionState.FAILED: ("stopped", "red"),
}


def show_year(provider: str, months: list[Month], today: dt.date) -> None:
    """The section of the page: one provider's months."""
    st.subheader(f"Months of {months[0].provider_name}")
    years = sorted({month.year for month in months}, reverse=True)
    year = years[0]
    if len(years) > 1:
        year = st.selectbox("Year", years, format_func=_year, key=f"year-{provider}")
    else:
        st.caption(f"{_year(year)}, April to March")
    known = {month.month: month for month in months}
    for first in (0, _IN_A_ROW):
        columns = st.columns(_IN_A_ROW)
        for number, column in enumerate(columns, start=first):
            with column, st.container(border=True, height="stretch"):
                _show_month(provider, _first_day(year, number), known, today)


def _show_month(provider: str, day: dt.date, known: dict[dt.date, Month], today: dt.date) -> None:
    month = known.get(day)
    if month is None:
        st.markdown(f"**{day:%B}**")
        st.caption("not expected yet" if day > today else "no tariff")
        return
    query = {"provider": provider, "month": f"{day:%Y-%m}"}
    page = "upload" if month.state in (None, SubmissionState.OPEN) else "submission"
    link_to_address(page, f"**{day:%B}**", query)
    name, colour = _badge(month, today)
    st.markdown(f":{colour}-badge[{name}]")
    if month.due is not None and not month.handed_in:
        st.caption(f"due {month.due:%-d %B}")


def _badge(month: Month, today: dt.date) -> tuple[str, str]:
    late = month.due is not None and month.due < today
    if month.state is None:
        return ("late", "red") if late else ("not begun", "gray")
    return _STATES[month.state]


def _first_day(year: int, number: int) -> dt.date:
    month = FIRST_MONTH - 1 + number
    return dt.date(year + month // 12, month % 12 + 1, 1)


def _year(year: int) -> str:
    return f"{year}/{(year + 1) % 100:02d}"
