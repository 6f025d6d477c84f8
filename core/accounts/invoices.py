"""Invoices of subscriptions: issued, paid, credited. Never changed, and numbered without gaps.

A number is taken from a counter that stays locked until the transaction ends: of two simultaneous
invoices one waits, and a rollback releases its number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.audit import note
from core.access.scope import require
from core.accounts.histories import read_history, write_periods
from core.accounts.prices import rounded, vat_on
from core.accounts.progress import holder_on, update_state
from core.accounts.terms import DAYS_TO_PAY
from core.database import tables
from core.settings import settings
from core.user_errors import UserError
from core.vocabulary.permissions import Action

PREFIXES: dict[str, str] = {"invoice": "INV", "credit note": "CN"}


@dataclass(frozen=True)
class Line:
    """One line of an invoice; pounds before VAT."""

    text: str
    unit_price: Decimal
    quantity: int = 1

    @property
    def net(self) -> Decimal:
        return rounded(self.unit_price * self.quantity)


def reference_of(bill: str, number: int) -> str:
    """INV-00012, CN-00003."""
    return f"{PREFIXES[bill]}-{number:05d}"


def issue_invoice(
    connection: Connection,
    subscription_id: int,
    *,
    covers: Literal["term", "addition"],
    lines: Sequence[Line],
    on: dt.date,
    user_id: int | None,
) -> int:
    """Writes an invoice and returns its id; an invoice of £0 counts as paid on its date."""
    net = sum((line.net for line in lines), Decimal(0))
    percent = settings().vat_percent
    values = {
        "bill": "invoice",
        "subscription_id": subscription_id,
        "covers": covers,
        **_billed_to(connection, subscription_id, on),
        "issued_on": on,
        "due_on": on + dt.timedelta(days=DAYS_TO_PAY),
        "vat_percent": percent,
        "net": net,
        "vat": vat_on(net, percent),
        "total": net + vat_on(net, percent),
        "paid_on": on if net == 0 else None,
    }
    return _write(connection, values, lines, user_id)


def record_payment(
    connection: Connection,
    invoice_id: int,
    amount: Decimal,
    *,
    on: dt.date,
    user_id: int | None,
    today: dt.date,
    reference: str | None = None,
) -> Decimal:
    """Records a payment and returns the pounds that are still open.

    If the invoice is paid in full within thirty days, the term becomes twelve months. Raises
    ``UserError`` for an amount above the open one, or a date before the invoice.
    """
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    row = lock_invoice(connection, invoice_id)
    if row.bill != "invoice" or credit_of(connection, invoice_id) is not None:
        raise UserError(f"{reference_of(row.bill, row.number)} is not to be paid.")
    left = row.total - _paid(connection, invoice_id)
    if not 0 < amount <= left or amount != rounded(amount):
        raise UserError(f"£{left:,.2f} is open; a payment is above nothing and at most that.")
    if on < row.issued_on:
        raise UserError(f"The invoice is from {row.issued_on}; it cannot be paid before.")
    connection.execute(
        tables.payments.insert().values(
            invoice_id=invoice_id, paid_on=on, amount=amount, reference=reference,
            recorded_by=user_id,
        )
    )  # fmt: skip
    name = reference_of(row.bill, row.number)
    note(connection, "payment recorded", f"invoice:{name}", user_id=user_id, amount=str(amount))
    if amount == left:
        _paid_in_full(connection, row, today, user_id)
    return Decimal(left - amount)


def credit(
    connection: Connection, invoice_id: int, *, on: dt.date, reason: str, user_id: int | None
) -> int:
    """Cancels a whole invoice by a credit note; returns the id of the note."""
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    row = lock_invoice(connection, invoice_id)
    name = reference_of(row.bill, row.number)
    if row.bill != "invoice" or credit_of(connection, invoice_id) is not None:
        raise UserError(f"{name} is a credit note, or was credited already.")
    if on < row.issued_on:
        raise UserError(f"The invoice is from {row.issued_on}; it cannot be credited before.")
    copied = ("subscription_id", "covers", "billed_name", "billed_address", "contact", "email",
            "vat_percent", "net", "vat", "total")  # fmt: skip
    values = {
        **{key: row._mapping[key] for key in copied},
        "bill": "credit note",
        "credits_id": invoice_id,
        "issued_on": on,
        "due_on": on,
    }
    text = f"Credit of {name}" + (f": {reason.strip()}" if reason.strip() else "")
    return _write(connection, values, [Line(text, row.net)], user_id)


def lock_invoice(connection: Connection, invoice_id: int) -> sa.Row[Any]:
    """The row, locked until the transaction ends; raises ``UserError`` for an unknown invoice."""
    invoices = tables.invoices
    query = sa.select(invoices).where(invoices.c.id == invoice_id).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        raise UserError(f"There is no invoice {invoice_id}.")
    return row


def credit_of(connection: Connection, invoice_id: int) -> int | None:
    """The id of the credit note that cancels the invoice, or None."""
    invoices = tables.invoices
    query = sa.select(invoices.c.id).where(invoices.c.credits_id == invoice_id)
    note_id: int | None = connection.execute(query).scalar()
    return note_id


def _write(
    connection: Connection, values: dict[str, Any], lines: Sequence[Line], user_id: int | None
) -> int:
    number = _next_number(connection, values["bill"])
    statement = tables.invoices.insert().values(number=number, issued_by=user_id, **values)
    invoice_id = int(connection.execute(statement.returning(tables.invoices.c.id)).scalar_one())
    rows = [
        {
            "invoice_id": invoice_id,
            "position": position,
            "text": line.text,
            "quantity": line.quantity,
            "unit_price": line.unit_price,
            "net": line.net,
        }
        for position, line in enumerate(lines, 1)
    ]
    connection.execute(tables.invoice_lines.insert(), rows)
    name = reference_of(values["bill"], number)
    total = str(values["total"])
    note(connection, f"{values['bill']} issued", f"invoice:{name}", user_id=user_id, total=total)
    return invoice_id


def _next_number(connection: Connection, bill: str) -> int:
    counters = tables.invoice_counters
    statement = (
        counters.update()
        .where(counters.c.bill == bill)
        .values(last=counters.c.last + 1)
        .returning(counters.c.last)
    )
    return int(connection.execute(statement).scalar_one())


def _billed_to(connection: Connection, subscription_id: int, day: dt.date) -> dict[str, Any]:
    """Name and address on the day; the invoice keeps them when they change later."""
    history = read_history(connection, subscription_id)
    users, organisations = tables.users, tables.organisations
    person = connection.execute(sa.select(users).where(users.c.id == holder_on(history, day))).one()
    organisation = connection.execute(
        sa.select(organisations).where(organisations.c.id == history.organisation)
    ).first()
    return {
        "billed_name": organisation.name if organisation else person.name,
        "billed_address": organisation.address if organisation else None,
        "contact": person.name,
        "email": person.email,
    }


def _paid(connection: Connection, invoice_id: int) -> Decimal:
    amounts = tables.payments
    query = sa.select(sa.func.coalesce(sa.func.sum(amounts.c.amount), 0))
    return Decimal(connection.execute(query.where(amounts.c.invoice_id == invoice_id)).scalar_one())


def _paid_in_full(
    connection: Connection, row: sa.Row[Any], today: dt.date, user_id: int | None
) -> None:
    """Marks an invoice as paid on the date of its last payment."""
    paid = tables.payments
    last = sa.select(sa.func.max(paid.c.paid_on)).where(paid.c.invoice_id == row.id)
    invoices = tables.invoices
    connection.execute(
        invoices.update().where(invoices.c.id == row.id).values(paid_on=last.scalar_subquery())
    )
    write_periods(connection, row.subscription_id)
    update_state(connection, row.subscription_id, today, user_id=user_id)
