"""What administrators do with subscriptions: quote, invoice, transfer, add an organisation, end.

Each is one transaction that writes an audit row and replaces the periods of the subscription. Roles
follow from the periods alone; the state, for people to read, follows from the same dates.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.audit import note
from core.access.scope import require
from core.accounts.histories import lock_subscription, read_history, write_periods
from core.accounts.invoices import Line, issue_invoice
from core.accounts.prices import ADDED_ORGANISATION, PRICES
from core.accounts.progress import update_state
from core.accounts.terms import state_on
from core.database import tables
from core.user_errors import UserError
from core.vocabulary.permissions import Action, Kind
from core.vocabulary.states.accounts import SubscriptionState


@dataclass(frozen=True)
class Quote:
    """An offer to a user; ``price`` is pounds before VAT, None: the price of the terms."""

    kind: Kind
    user_id: int
    organisation_id: int | None
    first_day: dt.date
    price: Decimal | None = None
    note: str | None = None


def quote(
    connection: Connection,
    offer: Quote,
    *,
    today: dt.date,
    user_id: int | None,
    renews: int | None = None,
) -> int:
    """Writes a quotation; returns its number. Raises ``UserError`` where the kind does not fit."""
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    return write_quote(connection, offer, today=today, user_id=user_id, renews=renews)


def write_quote(
    connection: Connection,
    offer: Quote,
    *,
    today: dt.date,
    user_id: int | None,
    renews: int | None = None,
) -> int:
    """Writes a quotation without a check of permissions, for the daily flow."""
    _refuse_unfit(connection, offer)
    price = PRICES[offer.kind] if offer.price is None else offer.price
    statement = (
        tables.subscriptions.insert()
        .values(
            kind=offer.kind,
            user_id=offer.user_id,
            organisation_id=offer.organisation_id,
            quoted_on=today,
            first_day=offer.first_day,
            price=price,
            renews_id=renews,
            note=offer.note,
        )
        .returning(tables.subscriptions.c.id)
    )
    number = int(connection.execute(statement).scalar_one())
    _note(connection, number, "quoted", user_id, kind=offer.kind, price=str(price))
    return number


def invoice(
    connection: Connection, subscription_id: int, *, on: dt.date, user_id: int | None
) -> int:
    """Invoices a quotation, with the organisations that were added to it; returns the invoice's id.

    After the invoice was credited, the subscription can be invoiced again. An invoice of £0 counts
    as paid on its date.
    """
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    row = lock_subscription(connection, subscription_id)
    _refuse_ended(connection, row, on)
    if on < row.quoted_on:
        raise UserError(f"It was quoted on {row.quoted_on}; the invoice cannot be from before.")
    _refuse_open_invoice(connection, subscription_id)
    invoice_id = issue_invoice(
        connection,
        subscription_id,
        covers="term",
        lines=_lines(connection, row),
        on=on,
        user_id=user_id,
    )
    _apply_terms(connection, subscription_id, on, user_id)
    return invoice_id


def transfer(
    connection: Connection,
    subscription_id: int,
    *,
    to_user: int,
    on: dt.date,
    user_id: int | None,
    today: dt.date,
) -> None:
    """Transfers a subscription to another person, from a day on."""
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    row = lock_subscription(connection, subscription_id)
    _refuse_ended(connection, row, on)
    _require_user(connection, to_user)
    connection.execute(
        tables.subscription_transfers.insert().values(
            subscription_id=subscription_id, on_day=on, user_id=to_user, recorded_by=user_id
        )
    )
    _note(connection, subscription_id, "transferred", user_id, to_user=to_user, on=str(on))
    _apply_terms(connection, subscription_id, today, user_id)


def add_organisation(
    connection: Connection,
    subscription_id: int,
    organisation_id: int,
    *,
    on: dt.date,
    user_id: int | None,
    price: Decimal | None = None,
) -> int | None:
    """Adds an organisation to a subscription, from a day on; returns the id of a separate invoice.

    None before the subscription is invoiced: then one invoice has both.
    """
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    row = lock_subscription(connection, subscription_id)
    _refuse_ended(connection, row, on)
    organisation = _require_side(connection, Kind(row.kind), organisation_id)
    price = ADDED_ORGANISATION if price is None else price
    _insert_addition(connection, row, organisation_id, on_day=on, price=price, recorded_by=user_id)
    invoice_id = None
    if row.state != SubscriptionState.QUOTED:
        line = Line(_added_text(organisation), price)
        invoice_id = issue_invoice(
            connection, subscription_id, covers="addition", lines=[line], on=on, user_id=user_id
        )
    added = organisation.code
    _note(connection, subscription_id, "organisation added", user_id, organisation=added)
    _apply_terms(connection, subscription_id, on, user_id)
    return invoice_id


def end(
    connection: Connection,
    subscription_id: int,
    *,
    on: dt.date,
    user_id: int | None,
    today: dt.date,
    reason: str = "",
) -> None:
    """Ends a subscription from a day on, whatever its term; a quotation is withdrawn."""
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    row = lock_subscription(connection, subscription_id)
    _refuse_ended(connection, row, min(on, today))
    connection.execute(
        tables.subscriptions.update()
        .where(tables.subscriptions.c.id == subscription_id)
        .values(ended_on=on)
    )
    note(
        connection, "subscription end set", f"subscription:{subscription_id}",
        user_id=user_id, reason=reason or None, on=str(on),
    )  # fmt: skip
    _apply_terms(connection, subscription_id, today, user_id)


def quote_and_invoice(
    connection: Connection, offer: Quote, *, today: dt.date, user_id: int | None
) -> int:
    """Quotes and invoices in one step; returns the number of the subscription."""
    number = quote(connection, offer, today=today, user_id=user_id)
    invoice(connection, number, on=today, user_id=user_id)
    return number


def _apply_terms(
    connection: Connection, subscription_id: int, today: dt.date, user_id: int | None
) -> None:
    write_periods(connection, subscription_id)
    update_state(connection, subscription_id, today, user_id=user_id)


def _refuse_unfit(connection: Connection, offer: Quote) -> None:
    _require_user(connection, offer.user_id)
    if offer.price is not None and offer.price < 0:
        raise UserError("A price cannot be below nothing.")
    if offer.organisation_id is not None:
        _require_side(connection, offer.kind, offer.organisation_id)
    elif offer.kind.sides:
        raise UserError(f"A subscription of the kind {offer.kind} is of an organisation.")


def _require_user(connection: Connection, user_id: int) -> None:
    users = tables.users
    if connection.execute(sa.select(users.c.id).where(users.c.id == user_id)).first() is None:
        raise UserError(f"There is no user {user_id}.")


def _require_side(connection: Connection, kind: Kind, organisation_id: int) -> sa.Row[Any]:
    organisations = tables.organisations
    row = connection.execute(
        sa.select(organisations).where(organisations.c.id == organisation_id)
    ).first()
    if row is None:
        raise UserError(f"There is no organisation {organisation_id}.")
    if row.kind not in kind.sides:
        raise UserError(f"{row.name} is a {row.kind}; {kind} is not for one.")
    return row


def _refuse_ended(connection: Connection, row: sa.Row[Any], day: dt.date) -> None:
    if state_on(read_history(connection, row.id), day) == SubscriptionState.ENDED:
        raise UserError(f"Subscription {row.id} has ended by then. Quote a new one.")


def _refuse_open_invoice(connection: Connection, subscription_id: int) -> None:
    invoices = tables.invoices
    credits = invoices.alias("credits")
    query = sa.select(invoices.c.number).where(
        invoices.c.subscription_id == subscription_id,
        invoices.c.bill == "invoice",
        invoices.c.covers == "term",
        ~sa.exists().where(credits.c.credits_id == invoices.c.id),
    )
    number = connection.execute(query).scalar()
    if number is not None:
        raise UserError(
            f"Subscription {subscription_id} is invoiced already, by INV-{number:05d}. "
            "Credit that invoice first."
        )


def _lines(connection: Connection, row: sa.Row[Any]) -> list[Line]:
    """The lines for the subscription and its added organisations; or those of its last invoice."""
    if row.state != SubscriptionState.QUOTED:
        return _lines_of_last(connection, row.id)
    organisations, additions = tables.organisations, tables.subscription_additions
    name = connection.execute(
        sa.select(organisations.c.name).where(organisations.c.id == row.organisation_id)
    ).scalar()
    text = f"Grouper subscription, {row.kind}" + (f", {name}" if name else "")
    added = connection.execute(
        sa.select(organisations.c.name, organisations.c.code, additions.c.price)
        .join(additions, additions.c.organisation_id == organisations.c.id)
        .where(additions.c.subscription_id == row.id)
        .order_by(additions.c.id)
    )
    return [Line(text, row.price), *(Line(_added_text(each), each.price) for each in added)]


def _lines_of_last(connection: Connection, subscription_id: int) -> list[Line]:
    invoices, lines = tables.invoices, tables.invoice_lines
    last = (
        sa.select(sa.func.max(invoices.c.id))
        .where(
            invoices.c.subscription_id == subscription_id,
            invoices.c.bill == "invoice",
            invoices.c.covers == "term",
        )
        .scalar_subquery()
    )
    query = (
        sa.select(lines.c.text, lines.c.unit_price, lines.c.quantity)
        .where(lines.c.invoice_id == last)
        .order_by(lines.c.position)
    )
    return [Line(*row) for row in connection.execute(query)]


def _added_text(organisation: sa.Row[Any]) -> str:
    return f"Added organisation, {organisation.name} ({organisation.code})"


def _insert_addition(
    connection: Connection,
    row: sa.Row[Any],
    organisation_id: int,
    **values: Any,
) -> None:
    additions = tables.subscription_additions
    existing = sa.select(additions.c.id).where(
        additions.c.subscription_id == row.id, additions.c.organisation_id == organisation_id
    )
    if row.organisation_id == organisation_id or connection.execute(existing).first():
        raise UserError("The subscription holds for that organisation already.")
    connection.execute(
        additions.insert().values(subscription_id=row.id, organisation_id=organisation_id, **values)
    )


def _note(
    connection: Connection, number: int, what: str, user_id: int | None, **detail: Any
) -> None:
    note(connection, f"subscription {what}", f"subscription:{number}", user_id=user_id, **detail)
