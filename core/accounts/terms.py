"""The published terms: who may act for what, on which days, by the history of a subscription.

A subscription has one user and one organisation, others are added at a price. It lasts ten months,
twelve when the invoice is paid within thirty days of its date, and may be transferred to another
person. It is in force from its first day, but not before it was invoiced, paid or not.

Everything here is a function of a history and a date; nothing reads a clock or a table.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.engine.tariff.months import Month
from core.vocabulary.permissions import Kind
from core.vocabulary.states.accounts import SubscriptionState

MONTHS = 10
MONTHS_IF_PAID_IN_TIME = 12
DAYS_TO_PAY = 30
WARNINGS = (60, 30, 7)
"""Days before the end at which the holder is warned; at the first a renewal is quoted."""

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Billed:
    """An invoice of a subscription's term: its date, and the day it was paid in full."""

    on: dt.date
    paid_on: dt.date | None = None

    @property
    def paid_in_time(self) -> bool:
        limit = self.on + dt.timedelta(days=DAYS_TO_PAY)
        return self.paid_on is not None and self.paid_on <= limit


@dataclass(frozen=True)
class Transfer:
    """A transfer to another person, from this day on."""

    on: dt.date
    user: int


@dataclass(frozen=True)
class Addition:
    """An added organisation, from this day on."""

    on: dt.date
    organisation: int


@dataclass(frozen=True)
class History:
    """The history of a subscription; transfers in the order in which they were made."""

    kind: Kind
    user: int
    organisation: int | None
    first_day: dt.date
    billed: tuple[Billed, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    additions: tuple[Addition, ...] = ()
    ended_on: dt.date | None = None  # the first day on which it is no longer in force


@dataclass(frozen=True)
class Term:
    """First and last day, inclusive; if the last is before the first it is never in force."""

    first: dt.date
    last: dt.date

    def holds(self, day: dt.date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True)
class Period:
    """A role of one person in one organisation, from one day to another, both inclusive."""

    user: int
    organisation: int | None
    kind: Kind
    first: dt.date
    last: dt.date

    def holds(self, day: dt.date) -> bool:
        return self.first <= day <= self.last


def term_of(history: History) -> Term | None:
    """The term of a subscription; None before it is invoiced."""
    if not history.billed:
        return None
    first = max(history.first_day, min(each.on for each in history.billed))
    in_time = any(each.paid_in_time for each in history.billed)
    last = months_later(first, MONTHS_IF_PAID_IN_TIME if in_time else MONTHS) - _DAY
    if history.ended_on is not None:
        last = min(last, history.ended_on - _DAY)
    return Term(first, last)


def periods_of(history: History) -> tuple[Period, ...]:
    """Every role that the subscription grants, with its person and days."""
    term = term_of(history)
    if term is None:
        return ()
    return tuple(
        Period(user, organisation, history.kind, first, last)
        for organisation, since in _organisations(history)
        for user, first, last in _holders(history, max(since, term.first), term.last)
        if first <= last
    )


def state_on(history: History, day: dt.date) -> SubscriptionState:
    """The state of the subscription on a day."""
    term = term_of(history)
    if history.ended_on is not None and day >= history.ended_on:
        return SubscriptionState.ENDED
    if term is None:
        return SubscriptionState.QUOTED
    if day < term.first:
        return SubscriptionState.INVOICED
    if day > term.last:
        return SubscriptionState.ENDED
    return SubscriptionState.ENDING if warning_on(term, day) else SubscriptionState.ACTIVE


def warning_on(term: Term, day: dt.date) -> int | None:
    """The warning in effect on a day: 60, 30 or 7 days before the end; None: not yet, or ended."""
    if not term.holds(day):
        return None
    left = (term.last - day).days
    return min((days for days in WARNINGS if left <= days), default=None)


def months_later(day: dt.date, months: int) -> dt.date:
    """The same day of a later month, or the last day of that month where it is shorter."""
    last = Month.of(day).plus(months).last
    return last.replace(day=min(day.day, last.day))


def _organisations(history: History) -> Iterator[tuple[int | None, dt.date]]:
    """Each organisation once, with the day from which it counts."""
    yield history.organisation, history.first_day
    since: dict[int, dt.date] = {}
    for addition in history.additions:
        earliest = since.get(addition.organisation, addition.on)
        since[addition.organisation] = min(earliest, addition.on)
    since.pop(history.organisation or 0, None)
    yield from since.items()


def _holders(
    history: History, first: dt.date, last: dt.date
) -> Iterator[tuple[int, dt.date, dt.date]]:
    """The holders between two days. Of two transfers on one day the later counts."""
    user = history.user
    for transfer in _in_order(history.transfers):
        if transfer.on > first:
            yield user, first, min(transfer.on - _DAY, last)
            first = transfer.on
        user = transfer.user
    yield user, first, last


def _in_order(transfers: Iterable[Transfer]) -> list[Transfer]:
    return sorted(transfers, key=lambda each: each.on)  # stable: as made, within a day
