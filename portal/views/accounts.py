"""Accounts: users, subscriptions, invoices, organisations and clinics, for administrators."""

from __future__ import annotations

import streamlit as st

from core.accounts.people import Person
from portal.components.account_invoices import show_invoices
from portal.components.account_organisations import show_clinics, show_organisations
from portal.components.account_subscriptions import show_subscriptions
from portal.components.account_users import show_users


def show(person: Person) -> None:
    """The page."""
    st.title("Accounts")
    tabs = st.tabs(["Subscriptions", "Invoices", "Users", "Organisations", "Clinics"])
    sections = (show_subscriptions, show_invoices, show_users, show_organisations, show_clinics)
    for tab, section in zip(tabs, sections, strict=True):
        with tab:
            section(person)
