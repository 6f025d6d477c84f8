"""Subscriptions as people see them: whose, for what, from when to when, and what was paid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.accounts.histories import read_histories
from core.accounts.progress import holder_on
from core.accounts.terms import History, state_on, term_of
from core.database import tables
from core.user_errors import UserError
from core.vocabulary.permissions import Action, Kind
from core.vocabulary.states.accounts import SubscriptionState


@dataclass(frozen=True)
class SubscriptionRow:
    """A subscription on a day."""

    id: int
    kind: Kind
    state: SubscriptionState  # by its dates
    holder_id: int
    holder: str
    organisations: tuple[str, ...]  # names, the first is its own
    codes: tuple[str, ...]
    quoted_on: dt.date
    first_day: dt.date  # as quoted, or as it began
    last_day: dt.date | None  # None: not invoiced
    price: Decimal
    renews: int | None
    note: str | None

    @property
    def title(self) -> str:
        """Provider+, Lea Valley."""
        return ", ".join((self.kind, *self.organisations))


def list_subscriptions(
    connection: Connection, scope: Scope, today: dt.date, *, of_user: int | None = None
) -> list[SubscriptionRow]:
    """Those of everybody for who manages accounts, else one's own; the newest first."""
    found, held = tables.subscriptions, tables.subscription_periods
    transfers = tables.subscription_transfers
    query = sa.select(found.c.id).order_by(found.c.id.desc())
    person = of_user if scope.may(Action.MANAGE_ACCOUNTS) else scope.user_id
    if person is not None or not scope.may(Action.MANAGE_ACCOUNTS):
        query = query.where(
            sa.or_(
                found.c.user_id == person,
                found.c.id.in_(sa.select(held.c.subscription_id).where(held.c.user_id == person)),
                found.c.id.in_(
                    sa.select(transfers.c.subscription_id).where(transfers.c.user_id == person)
                ),
            )
        )
    numbers = connection.execute(query).scalars().all()
    return _rows(connection, numbers, today)


def get_subscription(
    connection: Connection, scope: Scope, number: int, today: dt.date
) -> SubscriptionRow:
    """One of those; raises ``UserError`` where there is none for this person."""
    found = tables.subscriptions
    known = connection.execute(sa.select(found.c.id).where(found.c.id == number)).scalar()
    if known is None or not scope.may(Action.MANAGE_ACCOUNTS):
        raise UserError(f"There is no subscription {number}.")
    [row] = _rows(connection, [number], today)
    return row


def _rows(connection: Connection, numbers: Sequence[int], today: dt.date) -> list[SubscriptionRow]:
    """In the order of the numbers; a query for each table, however many there are."""
    found, organisations, users = tables.subscriptions, tables.organisations, tables.users
    rows = connection.execute(sa.select(found).where(found.c.id.in_(numbers))).all()
    by_number = {row.id: row for row in rows}
    known = _Known(
        histories=read_histories(connection, numbers),
        organisations={
            row.id: (row.code, row.name)
            for row in connection.execute(
                sa.select(organisations.c.id, organisations.c.code, organisations.c.name)
            )
        },
        users=dict(connection.execute(sa.select(users.c.id, users.c.name)).tuples().all()),
    )
    return [_row(by_number[number], known, today) for number in numbers]


@dataclass(frozen=True)
class _Known:
    """What rows are made from."""

    histories: dict[int, History]
    organisations: dict[int, tuple[str, str]]  # code and name
    users: dict[int, str]


def _row(row: sa.Row[Any], known: _Known, today: dt.date) -> SubscriptionRow:
    history = known.histories[row.id]
    term = term_of(history)
    holder = holder_on(history, today)
    numbers = [history.organisation, *(each.organisation for each in history.additions)]
    organisations = [known.organisations[each] for each in numbers if each in known.organisations]
    return SubscriptionRow(
        id=row.id,
        kind=history.kind,
        state=state_on(history, today),
        holder_id=holder,
        holder=known.users.get(holder, ""),
        organisations=tuple(name for _, name in organisations),
        codes=tuple(code for code, _ in organisations),
        quoted_on=row.quoted_on,
        first_day=term.first if term else history.first_day,
        last_day=term.last if term else None,
        price=row.price,
        renews=row.renews_id,
        note=row.note,
    )
