"""Invoices on the page Accounts: open amounts, payments, credit notes, the export."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import streamlit as st

from core.access.people import Person
from core.accounts import invoices as commands
from core.accounts.invoice_list import Invoice, list_invoices
from core.accounts.today import today
from portal.acting import act
from portal.components.account_tables import invoice_lines, money
from portal.database import engine
from portal.lazy_tabs import show_in_popover

SHOWN = 40


def show_invoices(person: Person) -> None:
    """The section of the page."""
    with engine().connect() as connection:
        invoices = list_invoices(connection, person.scope)
    if not invoices:
        st.write("Nothing has been invoiced yet. Quote a subscription, and invoice it.")
        return
    unpaid = [invoice for invoice in invoices if invoice.state == "open"]
    overdue = [invoice for invoice in unpaid if invoice.is_overdue(today())]
    figures = st.columns(3)
    figures[0].metric("Open", money(_open_amount(unpaid)))
    figures[1].metric("Overdue", money(_open_amount(overdue)))
    with figures[2]:
        st.link_button("Export for accounting (csv)", "/invoices.csv")
    for invoice in invoices[:SHOWN]:
        _show(person, invoice)
    if len(invoices) > SHOWN:
        st.caption(f"{len(invoices) - SHOWN} older ones: `grouper invoices list`.")


def _open_amount(invoices: list[Invoice]) -> Decimal:
    return sum((invoice.total - invoice.paid for invoice in invoices), Decimal(0))


def _show(person: Person, invoice: Invoice) -> None:
    with st.container(border=True):
        left, middle, right = st.columns([4, 1, 1], vertical_alignment="center")
        with left:
            invoice_lines(invoice)
        with middle:
            st.link_button("Download", f"/invoice/{invoice.reference}")
        if invoice.state in ("open", "paid"):
            with right:
                show_in_popover("Change", f"bill-{invoice.id}", partial(_change, person, invoice))


def _change(person: Person, invoice: Invoice) -> None:
    if invoice.state == "open":
        _pay(person, invoice)
        st.divider()
    reason = st.text_input("Why it is taken back", key=f"credit-why-{invoice.id}")
    if st.button("Write a credit note", key=f"credit-{invoice.id}", disabled=not reason.strip()):
        act(
            lambda c: commands.credit(c, invoice.id, on=today(), reason=reason, user_id=person.id),
            f"{invoice.reference} is credited",
        )


def _pay(person: Person, invoice: Invoice) -> None:
    left = float(invoice.total - invoice.paid)
    amount = st.number_input("Paid", 0.01, left, value=left, key=f"amount-{invoice.id}")
    on = st.date_input("on", value=today(), format="DD/MM/YYYY", key=f"paid-{invoice.id}")
    if st.button("Record the payment", type="primary", key=f"pay-{invoice.id}"):
        act(
            lambda c: commands.record_payment(
                c,
                invoice.id,
                Decimal(f"{amount:.2f}"),
                on=on,
                user_id=person.id,
                today=today(),
            ),
            f"Recorded {money(Decimal(f'{amount:.2f}'))}",
        )
