"""A person's own subscriptions, with their periods and organisations, and their invoices."""

from __future__ import annotations

import streamlit as st

from core.access.people import Person
from core.accounts.invoice_list import list_invoices
from core.accounts.subscription_list import list_subscriptions
from core.accounts.today import today
from portal.components.account_tables import show_invoice, show_subscription
from portal.database import engine


def show(person: Person) -> None:
    """The page."""
    st.title("My subscription")
    with engine().connect() as connection:
        subscriptions = list_subscriptions(connection, person.scope, today(), of_user=person.id)
        invoices = list_invoices(connection, person.scope)
    held = [row for row in subscriptions if row.holder_id == person.id]
    if not held:
        st.info("You have no subscription. Ask your administrator for a quotation.")
    for row in held:
        show_subscription(row)
    held_ids = {row.id for row in held}
    bills = [invoice for invoice in invoices if invoice.subscription_id in held_ids]
    if bills:
        st.subheader("Invoices")
    for invoice in bills:
        show_invoice(invoice)
