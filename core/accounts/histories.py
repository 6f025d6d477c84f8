"""Reads the history of a subscription, and writes the periods that follow from it by the terms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.accounts.terms import Addition, Billed, History, Transfer, periods_of
from core.database import tables
from core.user_errors import UserError
from core.vocabulary.permissions import Kind


def lock_subscription(connection: Connection, subscription_id: int) -> sa.Row[Any]:
    """Locks a subscription until the transaction ends; raises ``UserError`` for an unknown one."""
    subscriptions = tables.subscriptions
    query = sa.select(subscriptions).where(subscriptions.c.id == subscription_id).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        raise UserError(f"There is no subscription {subscription_id}.")
    return row


def read_history(connection: Connection, subscription_id: int) -> History:
    """Everything that the roles of a subscription depend on."""
    return read_histories(connection, [subscription_id])[subscription_id]


def read_histories(connection: Connection, numbers: Collection[int]) -> dict[int, History]:
    """The histories of several subscriptions, by their ids, ascending."""
    subscriptions = tables.subscriptions
    rows = connection.execute(
        sa.select(subscriptions).where(subscriptions.c.id.in_(numbers)).order_by(subscriptions.c.id)
    ).all()
    billed, transfers, additions = (
        read(connection, numbers) for read in (_billed, _transfers, _additions)
    )
    return {
        row.id: History(
            kind=Kind(row.kind),
            user=row.user_id,
            organisation=row.organisation_id,
            first_day=row.first_day,
            billed=tuple(Billed(*each) for each in billed[row.id]),
            transfers=tuple(Transfer(*each) for each in transfers[row.id]),
            additions=tuple(Addition(*each) for each in additions[row.id]),
            ended_on=row.ended_on,
        )
        for row in rows
    }


def write_periods(connection: Connection, subscription_id: int) -> None:
    """Replaces the periods of a subscription: who has which role, where and when."""
    periods = tables.subscription_periods
    connection.execute(periods.delete().where(periods.c.subscription_id == subscription_id))
    history_periods = periods_of(read_history(connection, subscription_id))
    rows = [
        {
            "subscription_id": subscription_id,
            "user_id": period.user,
            "organisation_id": period.organisation,
            "kind": period.kind,
            "first_day": period.first,
            "last_day": period.last,
        }
        for period in history_periods
    ]
    if rows:
        connection.execute(periods.insert(), rows)


_RowsBySubscription = dict[int, list[tuple[Any, ...]]]
"""Rows by subscription, in order."""


def _billed(connection: Connection, numbers: Collection[int]) -> _RowsBySubscription:
    invoices = tables.invoices
    query = (
        sa.select(invoices.c.subscription_id, invoices.c.issued_on, invoices.c.paid_on)
        .where(
            invoices.c.subscription_id.in_(numbers),
            invoices.c.bill == "invoice",
            invoices.c.covers == "term",
        )
        .order_by(invoices.c.id)
    )
    return _by_subscription(connection, query)


def _transfers(connection: Connection, numbers: Collection[int]) -> _RowsBySubscription:
    made = tables.subscription_transfers
    query = (
        sa.select(made.c.subscription_id, made.c.on_day, made.c.user_id)
        .where(made.c.subscription_id.in_(numbers))
        .order_by(made.c.id)
    )
    return _by_subscription(connection, query)


def _additions(connection: Connection, numbers: Collection[int]) -> _RowsBySubscription:
    made = tables.subscription_additions
    query = (
        sa.select(made.c.subscription_id, made.c.on_day, made.c.organisation_id)
        .where(made.c.subscription_id.in_(numbers))
        .order_by(made.c.id)
    )
    return _by_subscription(connection, query)


def _by_subscription(connection: Connection, query: sa.Select[Any]) -> _RowsBySubscription:
    by_subscription: _RowsBySubscription = defaultdict(list)
    for number, *happened in connection.execute(query):
        by_subscription[number].append(tuple(happened))
    return by_subscription
