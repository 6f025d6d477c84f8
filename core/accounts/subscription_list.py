"""Subscriptions as people see them: whose, for what, from when to when, and what was paid."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.accounts.histories import read_history
from core.accounts.permissions import Action, Kind
from core.accounts.progress import holder_on
from core.accounts.scope import Scope
from core.accounts.states import SubscriptionState
from core.accounts.terms import state_on, term_of
from core.database import tables
from core.user_errors import UserError


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
    return [_row(connection, number, today) for number in numbers]


def get_subscription(
    connection: Connection, scope: Scope, number: int, today: dt.date
) -> SubscriptionRow:
    """One of those; raises ``UserError`` where there is none for this person."""
    found = tables.subscriptions
    known = connection.execute(sa.select(found.c.id).where(found.c.id == number)).scalar()
    if known is None or not scope.may(Action.MANAGE_ACCOUNTS):
        raise UserError(f"There is no subscription {number}.")
    return _row(connection, number, today)


def _row(connection: Connection, number: int, today: dt.date) -> SubscriptionRow:
    row = connection.execute(
        sa.select(tables.subscriptions).where(tables.subscriptions.c.id == number)
    ).one()
    history = read_history(connection, number)
    term = term_of(history)
    holder = holder_on(history, today)
    numbers = [history.organisation, *(each.organisation for each in history.additions)]
    organisations = _organisations(connection, [each for each in numbers if each is not None])
    return SubscriptionRow(
        id=number,
        kind=history.kind,
        state=state_on(history, today),
        holder_id=holder,
        holder=_name(connection, holder),
        organisations=tuple(name for _, name in organisations),
        codes=tuple(code for code, _ in organisations),
        quoted_on=row.quoted_on,
        first_day=term.first if term else history.first_day,
        last_day=term.last if term else None,
        price=row.price,
        renews=row.renews_id,
        note=row.note,
    )


def _organisations(connection: Connection, numbers: list[int]) -> list[tuple[str, str]]:
    """Code and name of each, in the order of the numbers."""
    found = tables.organisations
    query = sa.select(found.c.id, found.c.code, found.c.name).where(found.c.id.in_(numbers))
    known: dict[int, Any] = {row.id: (row.code, row.name) for row in connection.execute(query)}
    return [known[number] for number in numbers if number in known]


def _name(connection: Connection, user_id: int) -> str:
    users = tables.users
    return connection.execute(sa.select(users.c.name).where(users.c.id == user_id)).scalar() or ""
