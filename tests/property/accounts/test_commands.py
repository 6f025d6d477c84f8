"""The same for the commands on a real database: whatever administrators do, and whenever the daily
flow comes, today's roles in SQL are those that the history gives by the terms."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.accounts import invoices, subscriptions
from core.accounts.daily import update_subscriptions
from core.accounts.histories import read_history
from core.accounts.terms import state_on
from core.database import tables
from core.user_errors import UserError
from core.vocabulary.permissions import Kind
from tests.property.accounts.test_terms import expected_terms

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

START = dt.date(2025, 1, 1)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["invoice", "pay", "credit", "transfer", "add", "end", "daily", "daily"]),
        st.integers(0, 60),  # days after the step before
        st.integers(1, 3),  # which person, which organisation
    ),
    max_size=9,
)


@pytest.fixture
def people(database: Engine) -> Engine:
    with database.begin() as connection:
        for number in (1, 2, 3):
            user = {"id": number, "subject": f"p{number}", "name": f"Person {number}"}
            connection.execute(tables.users.insert().values(user))
        for number in (10, 11, 12, 13):
            organisation = {"id": number, "kind": "provider", "code": f"Z{number}", "name": "Z"}
            connection.execute(tables.organisations.insert().values(organisation))
    return database


def do(connection: Connection, number: int, step: str, day: dt.date, which: int) -> None:
    if step == "invoice":
        subscriptions.invoice(connection, number, on=day, user_id=None)
    elif step == "transfer":
        subscriptions.transfer(connection, number, to_user=which, on=day, user_id=None, today=day)
    elif step == "add":
        subscriptions.add_organisation(connection, number, 10 + which, on=day, user_id=None)
    elif step == "end":
        subscriptions.end(connection, number, on=day, user_id=None, today=day)
    elif step == "daily":
        update_subscriptions(connection, day)
    else:
        bill = connection.execute(
            sa.select(tables.invoices.c.id, tables.invoices.c.total)
            .where(tables.invoices.c.bill == "invoice")
            .order_by(tables.invoices.c.id.desc())
        ).first()
        if bill and step == "credit":
            invoices.credit(connection, bill.id, on=day, reason="x", user_id=None)
        elif bill:
            invoices.record_payment(
                connection, bill.id, Decimal(bill.total), on=day, user_id=None, today=day
            )


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS, st.integers(0, 600))
def test_roles_in_the_database_are_those_of_the_terms(
    people: Engine, steps: list[tuple[str, int, int]], later: int
) -> None:
    with people.connect() as connection:  # never committed: each example begins anew
        wanted = subscriptions.Quote(Kind.PROVIDER_PLUS, 1, 10, START)
        number = subscriptions.quote(connection, wanted, today=START, user_id=None)
        day = START
        for step, days, which in steps:
            day += dt.timedelta(days=days)
            with suppress(UserError), connection.begin_nested():
                do(connection, number, step, day, which)
        for looked_at in (START, day, day + dt.timedelta(days=later)):
            assert roles(connection, number, looked_at) == by_the_terms(
                connection, number, looked_at
            )
        update_subscriptions(connection, day)
        history = read_history(connection, number)
        assert state(connection, number) == state_on(history, day)
        again = update_subscriptions(connection, day)
        assert (again.moved, again.warned, again.renewals) == (0, 0, 0)


def roles(connection: Connection, number: int, day: dt.date) -> set[tuple[int, int]]:
    held = sa.func.memberships_on(day).table_valued("user_id", "organisation_id", "subscription_id")
    query = sa.select(held.c.user_id, held.c.organisation_id)
    rows = connection.execute(query.where(held.c.subscription_id == number))
    return {(user, organisation) for user, organisation in rows}


def by_the_terms(connection: Connection, number: int, day: dt.date) -> set[tuple[int, int]]:
    terms = expected_terms(read_history(connection, number), day)
    return set() if terms is None else {(terms.user, each) for each in terms.organisations}


def state(connection: Connection, number: int) -> str:
    found = tables.subscriptions
    query = sa.select(found.c.state).where(found.c.id == number)
    return str(connection.execute(query).scalar_one())
