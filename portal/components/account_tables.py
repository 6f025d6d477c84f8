"""How a subscription and an invoice are shown."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from core.accounts.invoice_list import Invoice
from core.accounts.subscription_list import SubscriptionRow
from core.accounts.today import today
from core.vocabulary.states.accounts import SubscriptionState
from portal import words

_COLOURS = {
    SubscriptionState.QUOTED: "gray",
    SubscriptionState.INVOICED: "blue",
    SubscriptionState.ACTIVE: "green",
    SubscriptionState.ENDING: "orange",
    SubscriptionState.ENDED: "gray",
}
_BILL_COLOURS = {"paid": "green", "open": "blue", "credited": "gray", "credit note": "gray"}


def show_subscription(row: SubscriptionRow, *, holder: bool = False) -> None:
    """Shows a subscription in a box."""
    with st.container(border=True):
        subscription_lines(row, holder=holder)


def subscription_lines(row: SubscriptionRow, *, holder: bool) -> None:
    """What there is to say of it."""
    badge = f":{_COLOURS[row.state]}-badge[{row.state}]"
    where = ", ".join(map(words.plain, row.organisations)) or "the service itself"
    whose = f"{words.plain(row.holder)}: " if holder else ""
    st.markdown(f"**{whose}{words.plain(row.kind)}**, {where} {badge}")
    st.caption(f"Subscription {row.id}. {_dates(row)} {money(row.price)} a term, before VAT.")


def _dates(row: SubscriptionRow) -> str:
    first = words.day(row.first_day)
    if row.last_day is None:
        return f"Quoted on {words.day(row.quoted_on)}, for a beginning on {first}."
    return f"From {first} to {words.day(row.last_day)}."


def show_invoice(invoice: Invoice) -> None:
    """Shows an invoice or a credit note in a box, with a link to its workbook."""
    with st.container(border=True):
        left, right = st.columns([4, 1], vertical_alignment="center")
        with left:
            invoice_lines(invoice)
        with right:
            st.link_button("Download", f"/invoice/{invoice.reference}")


def invoice_lines(invoice: Invoice) -> None:
    """What there is to say of it."""
    late = invoice.is_overdue(today())
    state, colour = ("overdue", "red") if late else (invoice.state, _BILL_COLOURS[invoice.state])
    st.markdown(
        f"**{invoice.reference}**, {words.plain(invoice.billed_name)}, {money(invoice.total)} "
        f":{colour}-badge[{state}]"
    )
    st.caption(f"{words.day(invoice.issued_on)}. {_open_text(invoice)}")


def _open_text(invoice: Invoice) -> str:
    if invoice.credits is not None:
        return f"Takes back INV-{invoice.credits:05d}."
    if invoice.credited_by is not None:
        return f"Taken back by CN-{invoice.credited_by:05d}."
    if invoice.paid_on is not None:
        return f"Paid on {words.day(invoice.paid_on)}."
    left = invoice.total - invoice.paid
    return f"{money(left)} to be paid by {words.day(invoice.due_on)}."


def money(amount: Decimal) -> str:
    """£1,234.56."""
    return f"£{amount:,.2f}"
