"""Ask for a report, follow it, download it by a link of one's own."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from core.accounts.people import Membership, Person
from core.database.engine import engine
from core.reports.report_list import ReportRow, reports_of
from core.reports.requests import ReportRequest, months_to_show, request_report
from core.reports.states import ReportState
from core.tariffs.months import parse_month
from core.user_errors import UserError
from portal import words
from portal.downloads import link_to

_BADGES = {
    ReportState.REQUESTED: ("waiting", "gray"),
    ReportState.COLLATING: ("being made", "blue"),
    ReportState.READY: ("ready", "green"),
    ReportState.EXPIRED: ("expired", "gray"),
    ReportState.FAILED: ("failed", "red"),
}


def show(person: Person) -> None:
    """The page."""
    st.title("Reports")
    _ask(person)
    with engine().connect() as connection:
        reports = reports_of(connection, person.id)
    if not reports:
        return
    st.subheader("Your reports")
    if any(report.moving for report in reports):
        _follow(person)
        return
    for report in reports:
        _show_report(person, report)


def _ask(person: Person) -> None:
    views = [each for each in person.memberships if each.role in ("provider", "commissioner")]
    if not views:
        st.info("You have no role in an organisation, so there is no report to ask for.")
        return
    st.markdown("**Backing Data**: an Excel workbook with one row a charge, and a summary.")
    chosen = st.selectbox(
        "For", views, format_func=lambda each: f"{each.name} ({each.code})", key="report-for"
    )
    with engine().connect() as connection:
        months = months_to_show(connection, chosen.role, str(chosen.code))
    if not months:
        st.info(
            "There is nothing to report yet: run a month as a draft or submit it first."
            if chosen.role == "provider"
            else "No provider has submitted charges to you yet."
        )
        return
    left, right = st.columns(2)
    wanted = _wanted(months)
    first = left.selectbox("From", months, index=wanted, format_func=words.month)
    last = right.selectbox("To", months, index=wanted, format_func=words.month)
    if st.button("Make the report", type="primary"):
        _request(person, chosen, first, last)


def _wanted(months: list[dt.date]) -> int:
    try:
        return months.index(parse_month(st.query_params.get("month", "")))
    except (UserError, ValueError):
        return 0


def _request(person: Person, chosen: Membership, first: dt.date, last: dt.date) -> None:
    if last < first:
        st.error("The last month is before the first. Choose them the other way round.")
        return
    request = ReportRequest(
        side="provider" if chosen.role == "provider" else "commissioner",
        organisation=str(chosen.code),
        organisation_name=str(chosen.name),
        first_month=first,
        last_month=last,
        asked_by=person.name,
    )
    try:
        with engine().begin() as connection:
            request_report(connection, request, user_id=person.id)
    except UserError as wrong:
        st.error(str(wrong))
    else:
        st.rerun()


@st.fragment(run_every=1)
def _follow(person: Person) -> None:
    with engine().connect() as connection:
        reports = reports_of(connection, person.id)
    if not any(report.moving for report in reports):
        st.rerun()
    for report in reports:
        _show_report(person, report)


def _show_report(person: Person, report: ReportRow) -> None:
    name, colour = _BADGES[report.state]
    with st.container(border=True):
        left, right = st.columns([4, 1], vertical_alignment="center")
        with left:
            st.markdown(
                f"**{report.request.organisation_name}, {report.request.period}** "
                f":{colour}-badge[{name}]"
            )
            st.caption(f"{report.text} Asked for {words.moment(report.requested_at)} UTC.")
        if report.state == ReportState.READY and report.storage_key:
            with right:
                link = link_to(report.storage_key, report.name, person.id)
                st.link_button("Download", link, type="primary")
