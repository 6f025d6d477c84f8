"""A financial year as a calendar of months: of a provider, each with its state and the way there;
of a commissioner, each with what came in."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection

import streamlit as st

from core.engine.tariff.months import YEAR_BEGINS, Month
from core.reports.overview import ChargedMonth
from core.submissions.queries.calendar import CalendarMonth
from core.vocabulary.states.submissions import STAGES, SubmissionState
from portal import words
from portal.links import has_page, link_to_address

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


def show_year(provider: str, months: list[CalendarMonth], today: dt.date) -> None:
    """The section of the page: one provider's months."""
    service = f": {words.plain(months[0].service)}" if months[0].service else ""
    st.subheader(f"Months of {words.plain(months[0].provider_name)}{service}")
    key = f"{provider}-{months[0].dataset}" if service else provider
    year = _choose_year({month.year for month in months}, key)
    by_month = {month.month: month for month in months}
    _grid(key, year, lambda day: _show_month(provider, day, by_month, today))


def show_charged_year(commissioner: str, rows: list[ChargedMonth], today: dt.date) -> None:
    """The same for a commissioner: what providers charged for each month."""
    year = _choose_year({_year_of(row.month) for row in rows}, commissioner)
    of_month = defaultdict[dt.date, list[ChargedMonth]](list)
    for row in rows:
        of_month[row.month].append(row)
    _grid(commissioner, year, lambda day: _show_charged(day, of_month[day], today))


def _choose_year(years: Collection[int], of: str) -> int:
    latest = max(years)
    if len(years) > 1:
        return st.selectbox(
            "Year", sorted(years, reverse=True), format_func=_year, key=f"year-{of}"
        )
    st.caption(f"{_year(latest)}, April to March")
    return latest


def _grid(of: str, year: int, show_one: Callable[[dt.date], None]) -> None:
    for first in (0, _IN_A_ROW):
        columns = st.columns(_IN_A_ROW)
        for number, column in enumerate(columns, start=first):
            day = _first_day(year, number)
            # Its key becomes a class of the style sheet.
            with column, st.container(border=True, height="stretch", key=f"month-of-{of}-{day}"):
                show_one(day)


def _show_charged(day: dt.date, rows: list[ChargedMonth], today: dt.date) -> None:
    if not rows:
        st.markdown(f"**{day:%B}**")
        st.caption("not yet" if day > today else "nothing submitted")
        return
    link_to_address("charges", f"**{day:%B}**", {"month": f"{day:%Y-%m}"})
    st.markdown(f":green-badge[{words.count(len(rows), 'provider')}]")
    st.caption(words.pounds(sum(row.pence for row in rows)))


def _show_month(
    provider: str, day: dt.date, by_month: dict[dt.date, CalendarMonth], today: dt.date
) -> None:
    month = by_month.get(day)
    if month is None:
        st.markdown(f"**{day:%B}**")
        st.caption("not expected yet" if day > today else "no tariff")
        return
    query = {"provider": provider, "month": f"{day:%Y-%m}"}
    if month.service:
        query["dataset"] = month.dataset
    page = "upload" if month.state in (None, SubmissionState.OPEN) else "submission"
    if month.state is None and not has_page(page):
        st.markdown(f"**{day:%B}**")  # who only looks has nothing to look at yet
    else:
        link_to_address(page if has_page(page) else "submission", f"**{day:%B}**", query)
    name, colour = _badge(month, today)
    st.markdown(f":{colour}-badge[{name}]")
    if month.due is not None and not month.handed_in:
        st.caption(f"due {month.due:%-d %B}")


def _badge(month: CalendarMonth, today: dt.date) -> tuple[str, str]:
    late = month.due is not None and month.due < today
    if month.state is None:
        return ("late", "red") if late else ("not begun", "gray")
    return _STATES[month.state]


def _year_of(day: dt.date) -> int:
    return Month.of(day).financial_year


def _first_day(year: int, number: int) -> dt.date:
    return Month(year, YEAR_BEGINS).plus(number).first


def _year(year: int) -> str:
    return f"{year}/{(year + 1) % 100:02d}"
