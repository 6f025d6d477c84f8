"""For any history of invoices, payments and transfers: the roles on any day are what the terms say.

The terms are told again here, day by day and in the plainest way, sharing no code with the module.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from core.accounts.terms import (
    Addition,
    Billed,
    History,
    Transfer,
    periods_of,
    state_on,
    term_of,
    warning_on,
)
from core.vocabulary.permissions import Kind
from core.vocabulary.states.accounts import SubscriptionState

START = dt.date(2025, 1, 1)
DAYS = st.integers(0, 900).map(lambda days: START + dt.timedelta(days=days))
PEOPLE = st.integers(1, 3)
OTHERS = st.integers(11, 13)


@st.composite
def bills(draw: st.DrawFn) -> Billed:
    on = draw(DAYS)
    after = draw(st.none() | st.integers(0, 70))
    return Billed(on, None if after is None else on + dt.timedelta(days=after))


HISTORIES = st.builds(
    History,
    kind=st.sampled_from([Kind.PROVIDER_PLUS, Kind.COMMISSIONER]),
    user=PEOPLE,
    organisation=st.just(10),
    first_day=DAYS,
    billed=st.lists(bills(), max_size=3).map(tuple),
    transfers=st.lists(st.builds(Transfer, DAYS, PEOPLE), max_size=4).map(tuple),
    additions=st.lists(st.builds(Addition, DAYS, OTHERS), max_size=3).map(tuple),
    ended_on=st.none() | DAYS,
)


@dataclass(frozen=True)
class Terms:
    """A subscription in force on a day: its holder and organisations."""

    user: int
    organisations: frozenset[int]


def expected_terms(history: History, day: dt.date) -> Terms | None:
    """The terms of a day by the rules as people state them; None where none is in force."""
    if not history.billed:
        return None  # a quotation is no subscription
    begins = history.first_day
    earliest = sorted(bill.on for bill in history.billed)[0]
    begins = max(begins, earliest)  # not before it is invoiced
    months = 10
    for bill in history.billed:
        if bill.paid_on is not None and (bill.paid_on - bill.on).days <= 30:
            months = 12  # twelve if paid within thirty days
    if day < begins or day >= same_day_after(begins, months):
        return None
    if history.ended_on is not None and day >= history.ended_on:
        return None
    holder = history.user
    latest = dt.date.min
    for transfer in history.transfers:  # the latest that has happened; of one day, the last made
        if transfer.on <= day and transfer.on >= latest:
            holder, latest = transfer.user, transfer.on
    added = {each.organisation for each in history.additions if each.on <= day}
    return Terms(holder, frozenset({10} | added))


def same_day_after(day: dt.date, months: int) -> dt.date:
    """Month by month; where a month is too short, its last day."""
    year, month = day.year, day.month
    for _ in range(months):
        month += 1
        if month == 13:
            year, month = year + 1, 1
    while True:
        try:
            return dt.date(year, month, day.day)
        except ValueError:
            day -= dt.timedelta(days=1)


@given(HISTORIES, st.integers(-30, 1400))
def test_roles_on_any_day_are_those_that_the_terms_give(history: History, offset: int) -> None:
    day = START + dt.timedelta(days=offset)
    given_today = {
        (each.user, each.organisation, each.kind)
        for each in periods_of(history)
        if each.first <= day <= each.last
    }
    wanted = expected_terms(history, day)
    expected = (
        set()
        if wanted is None
        else {(wanted.user, number, history.kind) for number in wanted.organisations}
    )
    assert given_today == expected


@given(HISTORIES)
def test_nobody_has_a_role_twice_at_a_time(history: History) -> None:
    periods = periods_of(history)
    for one in periods:
        assert one.first <= one.last
        for other in periods:
            if one is not other and one.organisation == other.organisation:
                assert one.last < other.first or other.last < one.first


@given(HISTORIES, st.integers(-30, 1400))
def test_the_state_follows_the_dates(history: History, offset: int) -> None:
    day = START + dt.timedelta(days=offset)
    in_force = expected_terms(history, day) is not None
    state = state_on(history, day)
    assert in_force == (state in (SubscriptionState.ACTIVE, SubscriptionState.ENDING))


@given(HISTORIES, st.integers(0, 1400))
def test_warnings_come_60_30_and_7_days_before_the_end(history: History, offset: int) -> None:
    term = term_of(history)
    day = START + dt.timedelta(days=offset)
    if term is None or not term.first <= day <= term.last:
        return
    left = (term.last - day).days
    wanted = 7 if left <= 7 else 30 if left <= 30 else 60 if left <= 60 else None
    assert warning_on(term, day) == wanted
