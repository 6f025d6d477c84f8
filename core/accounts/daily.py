"""The daily work on subscriptions: updates their states, warns of ends, quotes renewals.

Roles do not depend on it. It may run twice or late: each change of state, each warning and each
renewal happens once.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.accounts.histories import lock_subscription, read_history
from core.accounts.progress import holder_on, organisation_name, update_state
from core.accounts.subscriptions import Quote, write_quote
from core.accounts.terms import WARNINGS, History, Term, term_of, warning_on
from core.database import tables
from core.events.outbox import raise_event
from core.vocabulary.event_catalogue import SubscriptionEnding
from core.vocabulary.permissions import Kind
from core.vocabulary.states.accounts import SubscriptionState

_IDS = UUID("5c1f8a51-94a4-4b60-8d16-6f1d0f6b3b57")


@dataclass
class DailyCounts:
    """The counts of a day's work."""

    moved: int = 0
    warned: int = 0
    renewals: int = 0


def update_subscriptions(connection: Connection, today: dt.date) -> DailyCounts:
    """Does what is due on the day, and what was due before and not done."""
    subscriptions, counts = tables.subscriptions, DailyCounts()
    open_ones = sa.select(subscriptions.c.id).where(
        subscriptions.c.state != SubscriptionState.ENDED
    )
    for number in connection.execute(open_ones.order_by(subscriptions.c.id)).scalars().all():
        lock_subscription(connection, number)
        counts.moved += bool(update_state(connection, number, today))
        _warn(connection, number, today, counts)
    return counts


def _warn(connection: Connection, number: int, today: dt.date, counts: DailyCounts) -> None:
    history = read_history(connection, number)
    term = term_of(history)
    days = warning_on(term, today) if term else None
    if term is None or days is None:
        return
    renewal = _renewal(connection, number)
    if renewal is None and history.ended_on is None:
        renewal = _quote_renewal(connection, number, history, term, today)
        counts.renewals += 1
    if _is_new(connection, number, term, days):
        left = (term.last - today).days
        event = _event(connection, number, history, term, days_left=left, renewal_id=renewal)
        raise_event(connection, event, event_id=uuid5(_IDS, f"{number}/{term.last}/{days}"))
        counts.warned += 1


def _renewal(connection: Connection, number: int) -> int | None:
    subscriptions = tables.subscriptions
    query = sa.select(subscriptions.c.id).where(subscriptions.c.renews_id == number)
    renewal: int | None = connection.execute(query).scalar()
    return renewal


def _quote_renewal(
    connection: Connection, number: int, history: History, term: Term, today: dt.date
) -> int:
    """Quotes the same kind, price and organisations from the day after the term, to the person
    who holds the subscription then."""
    subscriptions, additions = tables.subscriptions, tables.subscription_additions
    price = sa.select(subscriptions.c.price).where(subscriptions.c.id == number)
    quotation = Quote(
        kind=Kind(history.kind),
        user_id=holder_on(history, term.last),
        organisation_id=history.organisation,
        first_day=term.last + dt.timedelta(days=1),
        price=connection.execute(price).scalar_one(),
    )
    renewal = write_quote(connection, quotation, today=today, user_id=None, renews=number)
    copied = sa.select(
        sa.literal(renewal), additions.c.organisation_id, sa.literal(quotation.first_day),
        additions.c.price,
    ).where(additions.c.subscription_id == number)  # fmt: skip
    names = ["subscription_id", "organisation_id", "on_day", "price"]
    connection.execute(additions.insert().from_select(names, copied))
    return renewal


def _is_new(connection: Connection, number: int, term: Term, days: int) -> bool:
    """Records this warning and all earlier ones, so a late run warns once; whether it is new."""
    rows = [
        {"subscription_id": number, "last_day": term.last, "days": each}
        for each in WARNINGS
        if each >= days
    ]
    notices = tables.subscription_notices
    noted = connection.execute(
        insert(notices).values(rows).on_conflict_do_nothing().returning(notices.c.days)
    )
    return days in noted.scalars().all()


def _event(
    connection: Connection, number: int, history: History, term: Term, **values: int | None
) -> SubscriptionEnding:
    return SubscriptionEnding.model_validate(
        {
            "subscription_id": number,
            "kind": history.kind,
            "organisation": organisation_name(connection, history.organisation),
            "addressee": holder_on(history, term.last),
            "last_day": term.last,
            **values,
        }
    )
