"""Moves a subscription to the state that its dates give, and raises the events of the way."""

from __future__ import annotations

import datetime as dt
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy import Connection

from core.accounts.histories import read_history
from core.accounts.terms import History, state_on, term_of
from core.database import tables
from core.database.moving import change_state
from core.events.outbox import raise_event
from core.vocabulary import event_catalogue
from core.vocabulary.states.accounts import SUBSCRIPTION_MACHINE, SubscriptionState

_IDS = UUID("2b0f6f0a-8a53-4f53-9d0e-9d6c1d6d8a11")
_EVENTS: dict[str, type[event_catalogue.OfSubscription]] = {
    SubscriptionState.ACTIVE: event_catalogue.SubscriptionBegan,
    SubscriptionState.ENDED: event_catalogue.SubscriptionEnded,
}


def bring_up_to_date(
    connection: Connection, subscription_id: int, today: dt.date, *, user_id: int | None = None
) -> list[str]:
    """The states that it went through; none where it stands where it should.

    The dates decide: however late this is done, roles were right all along.
    """
    history = read_history(connection, subscription_id)
    found = tables.subscriptions
    state = connection.execute(
        sa.select(found.c.state).where(found.c.id == subscription_id).with_for_update()
    ).scalar_one()
    steps = way(state, state_on(history, today))
    for step in steps:
        change_state(
            connection,
            found,
            SUBSCRIPTION_MACHINE,
            subscription_id,
            step,
            user_id=user_id,
            reason=f"by its dates on {today}",
        )
        if (state, step) != (SubscriptionState.ENDING, SubscriptionState.ACTIVE):
            _tell(connection, subscription_id, history, step, user_id)
        state = step
    return steps


def way(state: str, target: str) -> list[str]:
    """The states through which the declared transitions lead from one to the other, shortest."""
    ways = [[state]]
    for found in ways:
        if found[-1] == target:
            return found[1:]
        ways += [
            [*found, step]
            for step in sorted(SUBSCRIPTION_MACHINE.follows[found[-1]])
            if step not in found
        ]
    return []


def holder_on(history: History, day: dt.date) -> int:
    """Whose subscription it is on a day, in force or not."""
    holder = history.user
    for each in sorted(history.transfers, key=lambda transfer: transfer.on):
        if each.on <= day:
            holder = each.user
    return holder


def _tell(
    connection: Connection,
    subscription_id: int,
    history: History,
    state: str,
    user_id: int | None,
) -> None:
    event_class = _EVENTS.get(state)
    term = term_of(history)
    if event_class is None or term is None:
        return
    event = event_class(
        subscription_id=subscription_id,
        kind=history.kind,
        organisation=organisation_name(connection, history.organisation),
        addressee=holder_on(history, term.last),
        last_day=term.last,
    )
    raise_event(
        connection, event, user_id, event_id=uuid5(_IDS, f"{subscription_id}/{state}/{term.last}")
    )


def organisation_name(connection: Connection, organisation_id: int | None) -> str:
    """The name of an organisation; of none: the service."""
    found = tables.organisations
    query = sa.select(found.c.name).where(found.c.id == organisation_id)
    return connection.execute(query).scalar() or "the service"
