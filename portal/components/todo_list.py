"""What needs the person now: a line for each matter, with a link."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

import streamlit as st
from sqlalchemy import Connection

from core.access.people import Person
from core.accounts.clinics import list_clinics
from core.accounts.subscription_list import list_subscriptions
from core.events.failures import list_failures
from core.reports.report_list import reports_of
from core.submissions.queries.calendar import CalendarMonth
from core.submissions.queries.reset_list import list_resets
from core.submissions.queries.todo_list import todos_of
from core.submissions.reset_rights import may_decide_resets
from core.vocabulary.permissions import Action
from core.vocabulary.states.accounts import SubscriptionState
from core.vocabulary.states.reports import ReportState
from portal import words
from portal.links import link_to_address

SHOWN = 8
NEWS = dt.timedelta(days=3)
"""How long a ready report is listed."""


@dataclass(frozen=True)
class Line:
    """A matter, and the address of the page for it."""

    text: str
    address: str
    label: str
    query: dict[str, str] = field(default_factory=dict)


_LABELS = {"upload": "Go to the files", "submission": "Go to the month"}


def lines_for(
    connection: Connection, person: Person, calendar: list[CalendarMonth], today: dt.date
) -> list[Line]:
    """All matters that wait for the person, in all roles."""
    return [
        *_of_provider(connection, person, calendar, today),
        *_of_service(connection, person),
        *_of_reports(connection, person),
        *_of_subscriptions(connection, person, today),
    ]


def show_lines(lines: list[Line]) -> None:
    """The section of the page."""
    st.subheader("What needs you now")
    if not lines:
        st.write("Nothing. You are up to date.")
        return
    with st.container(border=True, key="needs"):
        for line in lines[:SHOWN]:
            left, right = st.columns([5, 2], vertical_alignment="center")
            left.markdown(words.plain(line.text))
            with right:
                link_to_address(line.address, line.label, line.query)
        if len(lines) > SHOWN:
            st.caption(f"{len(lines) - SHOWN} more follow once these are done.")


def _of_provider(
    connection: Connection, person: Person, calendar: list[CalendarMonth], today: dt.date
) -> Iterator[Line]:
    several = len(person.provider_ids) > 1
    for need in todos_of(connection, person.scope, calendar, today):
        text = f"{need.provider}: {need.text}" if several else need.text
        query = {"provider": need.provider, "month": f"{need.month:%Y-%m}"}
        if need.service:
            query["dataset"] = need.dataset
        yield Line(text, need.page, _LABELS[need.page], query)


def _of_service(connection: Connection, person: Person) -> Iterator[Line]:
    if may_decide_resets(person):
        requests = list_resets(connection, person.scope)
        if requests:
            text = f"{words.count(len(requests), 'month')} to be opened again: decide."
            yield Line(text, "resets", "Go to resets")
    if person.may(Action.MANAGE_ACCOUNTS):
        unplaced = sum(clinic.host is None for clinic in list_clinics(connection, person.scope))
        if unplaced:
            text = f"{words.count(unplaced, 'clinic')} without a host authority."
            yield Line(text, "accounts", "Go to accounts")
    if person.may(Action.OPERATE):
        failed = len(list_failures(connection, person.scope))
        if failed:
            text = f"{words.count(failed, 'failure')} in the error queue."
            yield Line(text, "operations", "Go to operations")


def _of_reports(connection: Connection, person: Person) -> Iterator[Line]:
    since = dt.datetime.now(dt.UTC) - NEWS
    for report in reports_of(connection, person.scope, limit=10):
        if report.outdated:
            yield Line(f"{report.request.title}: {report.text}", "reports", "Go to reports")
        elif report.state == ReportState.READY and report.requested_at > since:
            yield Line(f"{report.request.title} is ready.", "reports", "Get the report")


def _of_subscriptions(connection: Connection, person: Person, today: dt.date) -> Iterator[Line]:
    manages = person.may(Action.MANAGE_ACCOUNTS)
    for row in list_subscriptions(connection, person.scope, today):
        if row.state == SubscriptionState.ENDING and row.last_day is not None:
            text = f"{row.holder}: {row.title} ends on {words.day(row.last_day)}."
            page = "accounts" if manages else "subscription"
            yield Line(text, page, "Go to the subscription")
