"""Moves a subscription to the state that follows from its dates, and raises the events."""

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
_EVENTS: dict[str, type[event_catalogue.SubscriptionEvent]] = {
    SubscriptionState.ACTIVE: event_catalogue.SubscriptionBegan,
    SubscriptionState.ENDED: event_catalogue.SubscriptionEnded,
}


def update_state(
    connection: Connection, subscription_id: int, today: dt.date, *, user_id: int | None = None
) -> list[str]:
    """Updates the state of a subscription; returns the states it went through.

    Roles follow from the dates alone, so they are right even if this runs late.
    """
    history = read_history(connection, subscription_id)
    subscriptions = tables.subscriptions
    state = connection.execute(
        sa.select(subscriptions.c.state)
        .where(subscriptions.c.id == subscription_id)
        .with_for_update()
    ).scalar_one()
    steps = transitions_between(state, state_on(history, today))
    for step in steps:
        change_state(
            connection,
            subscriptions,
            SUBSCRIPTION_MACHINE,
            subscription_id,
            step,
            user_id=user_id,
            reason=f"by its dates on {today}",
        )
        if (state, step) != (SubscriptionState.ENDING, SubscriptionState.ACTIVE):
            _raise_event(connection, subscription_id, history, step, user_id)
        state = step
    return steps


def transitions_between(state: str, target: str) -> list[str]:
    """The states on the shortest path of declared transitions, without ``state``; else empty."""
    paths = [[state]]
    for path in paths:
        if path[-1] == target:
            return path[1:]
        paths += [
            [*path, step]
            for step in sorted(SUBSCRIPTION_MACHINE.follows[path[-1]])
            if step not in path
        ]
    return []


def holder_on(history: History, day: dt.date) -> int:
    """The id of the user who holds the subscription on a day, in force or not."""
    holder = history.user
    for transfer in sorted(history.transfers, key=lambda each: each.on):
        if transfer.on <= day:
            holder = transfer.user
    return holder


def _raise_event(
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
    """The name of an organisation; without one, ``the service``."""
    organisations = tables.organisations
    query = sa.select(organisations.c.name).where(organisations.c.id == organisation_id)
    return connection.execute(query).scalar() or "the service"
