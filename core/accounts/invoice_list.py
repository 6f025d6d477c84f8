"""Invoices and credit notes as people see them."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.accounts.invoices import reference_of
from core.database import tables
from core.user_errors import UserError
from core.vocabulary.permissions import Action


@dataclass(frozen=True)
class InvoiceLine:
    """One line of an invoice, in pounds."""

    text: str
    quantity: int
    unit_price: Decimal
    net: Decimal


@dataclass(frozen=True)
class Invoice:
    """An invoice or a credit note, in pounds."""

    id: int
    bill: str
    number: int
    subscription_id: int
    billed_name: str
    billed_address: str | None
    contact: str
    email: str | None
    issued_on: dt.date
    due_on: dt.date
    vat_percent: Decimal
    net: Decimal
    vat: Decimal
    total: Decimal
    paid_on: dt.date | None
    paid: Decimal
    credited_by: int | None  # the number of the credit note that took it back
    credits: int | None  # the number of the invoice that it takes back
    lines: tuple[InvoiceLine, ...]

    @property
    def reference(self) -> str:
        """INV-00012, CN-00003."""
        return reference_of(self.bill, self.number)

    @property
    def state(self) -> str:
        """credit note, credited, paid or open."""
        if self.bill != "invoice":
            return "credit note"
        if self.credited_by is not None:
            return "credited"
        return "paid" if self.paid_on else "open"

    def is_overdue(self, today: dt.date) -> bool:
        return self.state == "open" and today > self.due_on


def list_invoices(
    connection: Connection, scope: Scope, *, subscription_id: int | None = None
) -> list[Invoice]:
    """All invoices for managers of accounts, else those of own subscriptions; newest first."""
    invoices = tables.invoices
    query = (
        _rows().where(_visible(scope)).order_by(invoices.c.issued_on.desc(), invoices.c.id.desc())
    )
    if subscription_id is not None:
        query = query.where(invoices.c.subscription_id == subscription_id)
    return _with_lines(connection, query)


def get_invoice(connection: Connection, scope: Scope, invoice_id: int) -> Invoice:
    """One invoice; raises ``UserError`` where it does not exist or the person may not see it."""
    invoices = _with_lines(
        connection, _rows().where(_visible(scope), tables.invoices.c.id == invoice_id)
    )
    if not invoices:
        raise UserError(f"There is no invoice {invoice_id}.")
    return invoices[0]


_NUMBER = re.compile(r"[0-9]{1,9}")
"""More digits than the database's numbers have name no invoice."""


def find_invoice(connection: Connection, scope: Scope, reference: str) -> Invoice:
    """The invoice or credit note of a reference such as INV-00012; raises ``UserError``."""
    prefix, _, number = reference.strip().upper().partition("-")
    bill = {"INV": "invoice", "CN": "credit note"}.get(prefix)
    if bill and _NUMBER.fullmatch(number):
        invoices = tables.invoices
        query = _rows().where(
            _visible(scope), invoices.c.bill == bill, invoices.c.number == int(number)
        )
        for invoice in _with_lines(connection, query):
            return invoice
    raise UserError(f"there is no invoice {reference!r}: write it as INV-00012 or CN-00003")


def _visible(scope: Scope) -> sa.ColumnElement[bool]:
    if scope.may(Action.MANAGE_ACCOUNTS):
        return sa.true()
    held = tables.subscription_periods
    own = sa.select(held.c.subscription_id).where(held.c.user_id == scope.user_id)
    return tables.invoices.c.subscription_id.in_(own)


def _rows() -> sa.Select[Any]:
    invoices, paid = tables.invoices, tables.payments
    note, origin = invoices.alias("note"), invoices.alias("origin")
    names = [name for name in Invoice.__dataclass_fields__ if name in invoices.c]
    sums = (
        sa.select(sa.func.coalesce(sa.func.sum(paid.c.amount), 0))
        .where(paid.c.invoice_id == invoices.c.id)
        .scalar_subquery()
        .label("paid")
    )
    return (
        sa.select(
            *(invoices.c[name] for name in names),
            sums,
            note.c.number.label("credited_by"),
            origin.c.number.label("credits"),
        )
        .outerjoin(note, note.c.credits_id == invoices.c.id)
        .outerjoin(origin, origin.c.id == invoices.c.credits_id)
    )


def _with_lines(connection: Connection, query: sa.Select[Any]) -> list[Invoice]:
    rows = connection.execute(query).mappings().all()
    lines = tables.invoice_lines
    lines_by_invoice: dict[int, list[InvoiceLine]] = {row["id"]: [] for row in rows}
    line_query = (
        sa.select(
            lines.c.invoice_id, lines.c.text, lines.c.quantity, lines.c.unit_price, lines.c.net
        )
        .where(lines.c.invoice_id.in_(list(lines_by_invoice)))
        .order_by(lines.c.invoice_id, lines.c.position)
    )
    for number, *line in connection.execute(line_query):
        lines_by_invoice[number].append(InvoiceLine(*line))
    return [Invoice(**row, lines=tuple(lines_by_invoice[row["id"]])) for row in rows]
