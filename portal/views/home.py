"""Home: what needs the person now, months of providers, charges to commissioners."""

from __future__ import annotations

from itertools import groupby

import pandas as pd
import streamlit as st

from core.access.people import Membership, Person
from core.accounts.today import today
from core.reports.overview import charged_to
from core.submissions.months import month_and_service
from core.submissions.queries.calendar import calendar_of
from core.vocabulary.permissions import Action
from portal import words
from portal.components.todo_list import lines_for, show_lines
from portal.components.year import show_charged_year, show_year
from portal.database import engine
from portal.links import link_to_page, report_label


def show(person: Person) -> None:
    """The page."""
    st.title("Home")
    with engine().connect() as connection:
        calendar = calendar_of(connection, person.scope, today())
        lines = lines_for(connection, person, calendar, today())
    if person.memberships:
        show_lines(lines)
    for (provider, _), months in groupby(calendar, key=lambda each: (each.provider, each.dataset)):
        show_year(provider, list(months), today())
    if person.provider_ids and not calendar:
        st.info(
            "No tariff names your organisation yet, so there is no month to submit. "
            "Ask the lead commissioner of your area."
        )
    for commissioner in person.scope.where(Action.SEE_CHARGES, "commissioner"):
        _charges(person, commissioner)
    if not person.memberships:
        st.info("You have no role in an organisation yet. Ask your administrator.")


def _charges(person: Person, commissioner: Membership) -> None:
    st.subheader(f"Charged to {words.plain(str(commissioner.name))}")
    with engine().connect() as connection:
        rows = charged_to(connection, person.scope, str(commissioner.code))
    if not rows:
        st.write(
            "No provider has submitted charges yet. You are told as soon as one has; until then, "
            "the configuration says what will be charged."
        )
        link_to_page("configurations", "Read the configurations")
        return
    show_charged_year(str(commissioner.code), rows, today())
    table = pd.DataFrame(
        [
            (
                month_and_service(row.month, row.service),
                row.provider_name,
                row.charges,
                row.pence / 100,
            )
            for row in rows
        ],
        columns=["Month", "Provider", "Charges", "Amount"],
    )
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config={
            "Charges": st.column_config.NumberColumn(format="%,d"),
            "Amount": st.column_config.NumberColumn(format="£%,.2f"),
        },
        alt="Charges and amount by month and provider",
    )
    with st.container(horizontal=True):
        link_to_page("charges", "Look at the charges")
        link_to_page("reports", report_label(person, commissioner.organisation_id))
