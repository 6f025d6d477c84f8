"""Subscriptions as people see them: holder, organisations, term and price."""

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
    """All subscriptions for managers of accounts, else the person's own; newest first."""
    subscriptions, held = tables.subscriptions, tables.subscription_periods
    transfers = tables.subscription_transfers
    query = sa.select(subscriptions.c.id).order_by(subscriptions.c.id.desc())
    person = of_user if scope.may(Action.MANAGE_ACCOUNTS) else scope.user_id
    if person is not None or not scope.may(Action.MANAGE_ACCOUNTS):
        query = query.where(
            sa.or_(
                subscriptions.c.user_id == person,
                subscriptions.c.id.in_(
                    sa.select(held.c.subscription_id).where(held.c.user_id == person)
                ),
                subscriptions.c.id.in_(
                    sa.select(transfers.c.subscription_id).where(transfers.c.user_id == person)
                ),
            )
        )
    numbers = connection.execute(query).scalars().all()
    return _rows(connection, numbers, today)


def _rows(connection: Connection, numbers: Sequence[int], today: dt.date) -> list[SubscriptionRow]:
    """The rows in the order of the numbers; one query for each table."""
    subscriptions, organisations, users = tables.subscriptions, tables.organisations, tables.users
    rows = connection.execute(sa.select(subscriptions).where(subscriptions.c.id.in_(numbers))).all()
    by_number = {row.id: row for row in rows}
    lookups = _Lookups(
        histories=read_histories(connection, numbers),
        organisations={
            row.id: (row.code, row.name)
            for row in connection.execute(
                sa.select(organisations.c.id, organisations.c.code, organisations.c.name)
            )
        },
        users=dict(connection.execute(sa.select(users.c.id, users.c.name)).tuples().all()),
    )
    return [_row(by_number[number], lookups, today) for number in numbers]


@dataclass(frozen=True)
class _Lookups:
    """The data from which rows are made."""

    histories: dict[int, History]
    organisations: dict[int, tuple[str, str]]  # code and name
    users: dict[int, str]


def _row(row: sa.Row[Any], lookups: _Lookups, today: dt.date) -> SubscriptionRow:
    history = lookups.histories[row.id]
    term = term_of(history)
    holder = holder_on(history, today)
    numbers = [history.organisation, *(each.organisation for each in history.additions)]
    organisations = [
        lookups.organisations[each] for each in numbers if each in lookups.organisations
    ]
    return SubscriptionRow(
        id=row.id,
        kind=history.kind,
        state=state_on(history, today),
        holder_id=holder,
        holder=lookups.users.get(holder, ""),
        organisations=tuple(name for _, name in organisations),
        codes=tuple(code for code, _ in organisations),
        quoted_on=row.quoted_on,
        first_day=term.first if term else history.first_day,
        last_day=term.last if term else None,
        price=row.price,
        renews=row.renews_id,
        note=row.note,
    )
