"""Subscriptions on the page Accounts: quote, invoice, transfer, add an organisation, end."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import streamlit as st

from core.access.people import Person
from core.access.users import UserRow, list_users
from core.accounts import subscriptions as commands
from core.accounts.organisations import OrganisationRow, list_organisations
from core.accounts.prices import ADDED_ORGANISATION, PRICES
from core.accounts.subscription_list import SubscriptionRow, list_subscriptions
from core.accounts.today import today
from core.vocabulary.permissions import Kind
from core.vocabulary.states.accounts import SubscriptionState
from portal.acting import act
from portal.components.account_tables import money, subscription_lines
from portal.database import engine
from portal.lazy_tabs import show_in_popover

SHOWN = 40
_NOT_ENDED = "all that have not ended"


def show_subscriptions(person: Person) -> None:
    """The section of the page."""
    with engine().connect() as connection:
        subscriptions = list_subscriptions(connection, person.scope, today())
        users = list_users(connection, person.scope)
        organisations = list_organisations(connection, person.scope)
    with st.expander("Quote a subscription"):
        _quote(person, users, organisations)
    left, right = st.columns([2, 1])
    search = left.text_input(
        "Search", placeholder="a name, a kind, a code", key="find-subscription"
    )
    states = [_NOT_ENDED, *SubscriptionState]
    state = right.selectbox("State", states, key="state-of-subscriptions")
    fitting = [row for row in subscriptions if _fits(row, search, state)]
    if not fitting:
        st.write("No subscription fits.")
    for row in fitting[:SHOWN]:
        _show(person, row, users, organisations)
    if len(fitting) > SHOWN:
        st.caption(f"{len(fitting) - SHOWN} more; search for fewer.")


def _fits(row: SubscriptionRow, search: str, state: str) -> bool:
    text = " ".join((row.holder, row.kind, *row.organisations, *row.codes)).lower()
    of_state = row.state != SubscriptionState.ENDED if state == _NOT_ENDED else row.state == state
    return of_state and all(word in text for word in search.lower().split())


def _quote(person: Person, users: list[UserRow], organisations: list[OrganisationRow]) -> None:
    left, right = st.columns(2)
    kind = Kind(left.selectbox("Kind", [kind.value for kind in Kind], index=0))
    user = right.selectbox("For", users, index=None, format_func=_user, placeholder="Choose a user")
    fitting = [organisation for organisation in organisations if organisation.kind in kind.sides]
    organisation = left.selectbox(
        "Organisation", fitting, index=None, format_func=_organisation, disabled=not kind.sides
    )
    first_day = right.date_input("First day", value=today(), format="DD/MM/YYYY")
    price = left.number_input("Price, before VAT", 0.0, value=float(PRICES[kind]), step=5.0)
    ready = user is not None and (organisation is not None or not kind.sides)
    if st.button("Quote", type="primary", disabled=not ready) and user is not None:
        request = commands.Quote(
            kind,
            user.id,
            organisation.id if organisation else None,
            first_day,
            Decimal(f"{price:.2f}"),
        )
        act(
            lambda c: commands.quote(c, request, today=today(), user_id=person.id),
            f"Quoted {kind} to {user.name}",
        )


def _show(
    person: Person,
    row: SubscriptionRow,
    users: list[UserRow],
    organisations: list[OrganisationRow],
) -> None:
    with st.container(border=True):
        left, right = st.columns([6, 1], vertical_alignment="center")
        with left:
            subscription_lines(row, holder=True)
        if row.state == SubscriptionState.ENDED:
            return
        with right:
            if row.state == SubscriptionState.QUOTED:
                _invoice(person, row)
            show_in_popover(
                "Change", f"change-{row.id}", partial(_change, person, row, users, organisations)
            )


def _change(
    person: Person,
    row: SubscriptionRow,
    users: list[UserRow],
    organisations: list[OrganisationRow],
) -> None:
    _transfer(person, row, users)
    _add(person, row, organisations)
    _end(person, row)


def _invoice(person: Person, row: SubscriptionRow) -> None:
    if st.button("Invoice", key=f"invoice-{row.id}", type="primary"):
        act(lambda c: commands.invoice(c, row.id, on=today(), user_id=person.id), "Invoiced")


def _transfer(person: Person, row: SubscriptionRow, users: list[UserRow]) -> None:
    others = [user for user in users if user.id != row.holder_id]
    to = st.selectbox("Transfer to", others, index=None, format_func=_user, key=f"to-{row.id}")
    on = st.date_input("from", value=today(), format="DD/MM/YYYY", key=f"transfer-{row.id}")
    if st.button("Transfer", key=f"do-transfer-{row.id}", disabled=to is None) and to is not None:
        act(
            lambda c: commands.transfer(
                c, row.id, to_user=to.id, on=on, user_id=person.id, today=today()
            ),
            f"Transferred to {to.name}",
        )


def _add(person: Person, row: SubscriptionRow, organisations: list[OrganisationRow]) -> None:
    fitting = [
        organisation for organisation in organisations if organisation.kind in row.kind.sides
    ]
    if not fitting:
        return
    st.divider()
    added = st.selectbox(
        f"Add an organisation, {money(ADDED_ORGANISATION)}",
        [organisation for organisation in fitting if organisation.code not in row.codes],
        index=None,
        format_func=_organisation,
        key=f"add-{row.id}",
    )
    if st.button("Add", key=f"do-add-{row.id}", disabled=added is None) and added is not None:
        act(
            lambda c: commands.add_organisation(c, row.id, added.id, on=today(), user_id=person.id),
            f"{added.name} added",
        )


def _end(person: Person, row: SubscriptionRow) -> None:
    st.divider()
    on = st.date_input(
        "Does not hold from", value=today(), format="DD/MM/YYYY", key=f"end-{row.id}"
    )
    reason = st.text_input("Why", key=f"why-{row.id}")
    if st.button("End it", key=f"do-end-{row.id}"):
        act(
            lambda c: commands.end(
                c, row.id, on=on, user_id=person.id, today=today(), reason=reason
            ),
            "Its end is set",
        )


def _user(user: UserRow) -> str:
    return f"{user.name} ({user.subject})"


def _organisation(organisation: OrganisationRow) -> str:
    return f"{organisation.name} ({organisation.code})"
