"""Accounts: users, subscriptions, invoices, organisations and clinics, for administrators."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.access.people import Person
from portal.components.account_invoices import show_invoices
from portal.components.account_organisations import show_clinics, show_organisations
from portal.components.account_subscriptions import show_subscriptions
from portal.components.account_users import show_users
from portal.lazy_tabs import show_open_tab


def show(person: Person) -> None:
    """The page."""
    st.title("Accounts")
    sections = {
        "Subscriptions": show_subscriptions,
        "Invoices": show_invoices,
        "Users": show_users,
        "Organisations": show_organisations,
        "Clinics": show_clinics,
    }
    show_open_tab(
        {name: partial(section, person) for name, section in sections.items()}, "accounts-tab"
    )
