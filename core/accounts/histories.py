"""What happened to a subscription, read from its rows; and what the terms make of it, written."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.accounts.permissions import Kind
from core.accounts.terms import Addition, Billed, History, Transfer, periods_of
from core.database import tables
from core.user_errors import UserError


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
    found = tables.subscriptions
    row = connection.execute(sa.select(found).where(found.c.id == subscription_id)).one()
    return History(
        kind=Kind(row.kind),
        user=row.user_id,
        organisation=row.organisation_id,
        first_day=row.first_day,
        billed=_billed(connection, subscription_id),
        transfers=_transfers(connection, subscription_id),
        additions=_additions(connection, subscription_id),
        ended_on=row.ended_on,
    )


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


def _billed(connection: Connection, subscription_id: int) -> tuple[Billed, ...]:
    invoices = tables.invoices
    query = (
        sa.select(invoices.c.issued_on, invoices.c.paid_on)
        .where(
            invoices.c.subscription_id == subscription_id,
            invoices.c.bill == "invoice",
            invoices.c.covers == "term",
        )
        .order_by(invoices.c.id)
    )
    return tuple(Billed(*row) for row in connection.execute(query))


def _transfers(connection: Connection, subscription_id: int) -> tuple[Transfer, ...]:
    made = tables.subscription_transfers
    query = (
        sa.select(made.c.on_day, made.c.user_id)
        .where(made.c.subscription_id == subscription_id)
        .order_by(made.c.id)
    )
    return tuple(Transfer(*row) for row in connection.execute(query))


def _additions(connection: Connection, subscription_id: int) -> tuple[Addition, ...]:
    made = tables.subscription_additions
    query = (
        sa.select(made.c.on_day, made.c.organisation_id)
        .where(made.c.subscription_id == subscription_id)
        .order_by(made.c.id)
    )
    return tuple(Addition(*row) for row in connection.execute(query))
