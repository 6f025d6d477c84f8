"""What happened to a subscription, read from its rows; and what the terms make of it, written."""

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
    """Nobody else changes it until the transaction ends; raises ``UserError`` if it is not there"""
    found = tables.subscriptions
    query = sa.select(found).where(found.c.id == subscription_id).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        raise UserError(f"There is no subscription {subscription_id}.")
    return row


def read_history(connection: Connection, subscription_id: int) -> History:
    """Everything that its roles depend on."""
    return read_histories(connection, [subscription_id])[subscription_id]


def read_histories(connection: Connection, numbers: Collection[int]) -> dict[int, History]:
    """The same of many at once, in the order of their numbers."""
    found = tables.subscriptions
    rows = connection.execute(
        sa.select(found).where(found.c.id.in_(numbers)).order_by(found.c.id)
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
    """Writes anew who has which role, where and when, by the terms."""
    periods = tables.subscription_periods
    connection.execute(periods.delete().where(periods.c.subscription_id == subscription_id))
    given = periods_of(read_history(connection, subscription_id))
    rows = [
        {
            "subscription_id": subscription_id,
            "user_id": period.user,
            "organisation_id": period.organisation,
            "kind": period.kind,
            "first_day": period.first,
            "last_day": period.last,
        }
        for period in given
    ]
    if rows:
        connection.execute(periods.insert(), rows)


_Happened = dict[int, list[tuple[Any, ...]]]
"""Of each subscription, what happened to it, in order."""


def _billed(connection: Connection, numbers: Collection[int]) -> _Happened:
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


def _transfers(connection: Connection, numbers: Collection[int]) -> _Happened:
    made = tables.subscription_transfers
    query = (
        sa.select(made.c.subscription_id, made.c.on_day, made.c.user_id)
        .where(made.c.subscription_id.in_(numbers))
        .order_by(made.c.id)
    )
    return _by_subscription(connection, query)


def _additions(connection: Connection, numbers: Collection[int]) -> _Happened:
    made = tables.subscription_additions
    query = (
        sa.select(made.c.subscription_id, made.c.on_day, made.c.organisation_id)
        .where(made.c.subscription_id.in_(numbers))
        .order_by(made.c.id)
    )
    return _by_subscription(connection, query)


def _by_subscription(connection: Connection, query: sa.Select[Any]) -> _Happened:
    found: _Happened = defaultdict(list)
    for number, *happened in connection.execute(query):
        found[number].append(tuple(happened))
    return found
