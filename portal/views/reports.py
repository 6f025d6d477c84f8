"""Reports: request one, follow its progress, download it by a personal link."""

from __future__ import annotations

import streamlit as st

from core.access.people import Person
from core.reports.report_list import ReportRow, reports_of
from core.reports.requests import request_again
from core.reports.schedules import Schedule, end_schedule, schedules_of
from core.user_errors import UserError
from core.vocabulary.states.reports import ReportState
from portal import words
from portal.components.report_form import ask_for_report
from portal.database import engine
from portal.downloads import link_to
from portal.fragments import refreshed

_BADGES = {
    ReportState.REQUESTED: ("waiting", "gray"),
    ReportState.COLLATING: ("being made", "blue"),
    ReportState.READY: ("ready", "green"),
    ReportState.EXPIRED: ("expired", "gray"),
    ReportState.FAILED: ("failed", "red"),
}
_OUTDATED = ("out of date", "orange")


def show(person: Person) -> None:
    """The page."""
    st.title("Reports")
    ask_for_report(person)
    with engine().connect() as connection:
        reports = reports_of(connection, person.scope)
        schedules = schedules_of(connection, person.id)
    if reports:
        st.subheader("Your reports")
        if any(report.moving for report in reports):
            _follow(person)
        else:
            for report in reports:
                _show_report(person, report)
    if schedules:
        _show_schedules(person, schedules)


@refreshed(seconds=1)
def _follow(person: Person) -> None:
    with engine().connect() as connection:
        reports = reports_of(connection, person.scope)
    if not any(report.moving for report in reports):
        st.rerun()
    for report in reports:
        _show_report(person, report)


def _show_report(person: Person, report: ReportRow) -> None:
    name, colour = _OUTDATED if report.outdated else _BADGES[report.state]
    request = report.request
    with st.container(border=True, key=f"report-{report.id}"):
        left, right = st.columns([4, 1], vertical_alignment="center")
        with left:
            st.markdown(f"**{words.plain(request.title)}** :{colour}-badge[{name}]")
            st.caption(words.plain(_about(report)))
            if report.moving and report.parts:
                st.progress(report.share_done, f"{report.parts_done} of {report.parts} parts")
        with right:
            if report.state == ReportState.READY and not report.outdated:
                _offer_files(person, report)
            elif not report.moving and st.button("Make it again", key=f"again-{report.id}"):
                _ask_again(person, report)


def _about(report: ReportRow) -> str:
    sentences = [report.text, f"Asked for {words.moment(report.requested_at)} UTC."]
    if report.state == ReportState.READY and report.expires_at is not None:
        sentences.append(f"Kept until {words.day(report.expires_at.date())}.")
    return " ".join(sentences)


def _offer_files(person: Person, report: ReportRow) -> None:
    for position, file in enumerate(report.files):
        link = link_to(file.storage_key, file.name, person)
        label = "Download" if position == 0 else "Lines as csv"
        st.link_button(label, link, type="primary" if position == 0 else "secondary")


def _ask_again(person: Person, report: ReportRow) -> None:
    try:
        with engine().begin() as connection:
            request_again(
                connection, report.id, user_id=person.id, reason="asked for in the portal"
            )
    except UserError as wrong:
        st.error(words.plain(str(wrong)))
    else:
        st.rerun()


def _show_schedules(person: Person, schedules: list[Schedule]) -> None:
    st.subheader("Made every month")
    st.caption("As soon as everybody whose charges they show has submitted.")
    for schedule in schedules:
        request = schedule.request
        left, right = st.columns([4, 1], vertical_alignment="center")
        made = words.count(schedule.months_made, "time")
        left.markdown(
            f"**{request.about.title}**, {words.plain(request.organisation_name)}: made {made}"
        )
        if right.button("Stop", key=f"stop-{schedule.id}"):
            with engine().begin() as connection:
                end_schedule(connection, schedule.id, user_id=person.id)
            st.rerun()
