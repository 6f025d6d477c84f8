"""The daily care for subscriptions: moves them to where their dates say, warns, quotes renewals.

Roles do not wait for it. It may run twice or late: a state is moved once, a warning of an end is
noted once, and a subscription is renewed by one quotation.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.accounts.histories import lock_subscription, read_history
from core.accounts.progress import bring_up_to_date, holder_on, organisation_name
from core.accounts.subscriptions import Quote, write_quote
from core.accounts.terms import WARNINGS, History, Term, term_of, warning_on
from core.database import tables
from core.events.outbox import raise_event
from core.vocabulary.event_catalogue import SubscriptionEnding
from core.vocabulary.permissions import Kind
from core.vocabulary.states.accounts import SubscriptionState

_IDS = UUID("5c1f8a51-94a4-4b60-8d16-6f1d0f6b3b57")


@dataclass
class Cared:
    """What a day's care came to."""

    moved: int = 0
    warned: int = 0
    renewals: int = 0


def care_for_subscriptions(connection: Connection, today: dt.date) -> Cared:
    """Does what is due on the day, and what was due on days before and was not done."""
    found, cared = tables.subscriptions, Cared()
    open_ones = sa.select(found.c.id).where(found.c.state != SubscriptionState.ENDED)
    for number in connection.execute(open_ones.order_by(found.c.id)).scalars().all():
        lock_subscription(connection, number)
        cared.moved += bool(bring_up_to_date(connection, number, today))
        _warn(connection, number, today, cared)
    return cared


def _warn(connection: Connection, number: int, today: dt.date, cared: Cared) -> None:
    history = read_history(connection, number)
    term = term_of(history)
    days = warning_on(term, today) if term else None
    if term is None or days is None:
        return
    renewal = _renewal(connection, number)
    if renewal is None and history.ended_on is None:
        renewal = _quote_renewal(connection, number, history, term, today)
        cared.renewals += 1
    if _is_new(connection, number, term, days):
        left = (term.last - today).days
        event = _event(connection, number, history, term, days_left=left, renewal_id=renewal)
        raise_event(connection, event, event_id=uuid5(_IDS, f"{number}/{term.last}/{days}"))
        cared.warned += 1


def _renewal(connection: Connection, number: int) -> int | None:
    found = tables.subscriptions
    query = sa.select(found.c.id).where(found.c.renews_id == number)
    renewal: int | None = connection.execute(query).scalar()
    return renewal


def _quote_renewal(
    connection: Connection, number: int, history: History, term: Term, today: dt.date
) -> int:
    """The same kind at the same price, for the organisations that it holds for, from the day
    after; to who holds it then."""
    found, additions = tables.subscriptions, tables.subscription_additions
    price = sa.select(found.c.price).where(found.c.id == number)
    wanted = Quote(
        kind=Kind(history.kind),
        user_id=holder_on(history, term.last),
        organisation_id=history.organisation,
        first_day=term.last + dt.timedelta(days=1),
        price=connection.execute(price).scalar_one(),
    )
    renewal = write_quote(connection, wanted, today=today, user_id=None, renews=number)
    copied = sa.select(
        sa.literal(renewal), additions.c.organisation_id, sa.literal(wanted.first_day),
        additions.c.price,
    ).where(additions.c.subscription_id == number)  # fmt: skip
    names = ["subscription_id", "organisation_id", "on_day", "price"]
    connection.execute(additions.insert().from_select(names, copied))
    return renewal


def _is_new(connection: Connection, number: int, term: Term, days: int) -> bool:
    """Notes this warning and those before it: who was not looked after for long is warned once."""
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
