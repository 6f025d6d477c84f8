"""The daily care for subscriptions as Prefect runs it: a warning and a quotation, once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx2
import sqlalchemy as sa
from sqlalchemy import Engine

from core.access.users import add_user
from core.accounts.organisations import find_organisation
from core.accounts.subscriptions import Quote, invoice, quote
from core.accounts.today import today
from core.database import tables
from core.vocabulary.permissions import Kind
from tests.flow.conftest import Until

WHO = "Sue Ending"


def sold(populated: Engine) -> int:
    """A subscription that was invoiced so long ago that it ends within a month."""
    bought = today() - dt.timedelta(days=285)
    with populated.begin() as connection:
        sue = add_user(connection, "sue@zx1.example", WHO, None, user_id=None)
        provider = find_organisation(connection, "provider", "ZX1").id
        wanted = Quote(Kind.PROVIDER_PLUS, sue, provider, bought)
        number = quote(connection, wanted, today=bought, user_id=None)
        invoice(connection, number, on=bought, user_id=None)
    return number


def run(http: httpx2.Client, until: Until) -> str:
    """Runs the deployment as it is scheduled, to its end."""
    deployment = http.get("/deployments/name/subscriptions/subscriptions").json()
    asked = {"state": {"type": "SCHEDULED"}}
    made = http.post(f"/deployments/{deployment['id']}/create_flow_run", json=asked).json()
    place = f"/flow_runs/{made['id']}"
    until(lambda: http.get(place).json()["state_type"] in ("COMPLETED", "FAILED", "CRASHED"))
    return str(http.get(place).json()["state_type"])


def came_of(populated: Engine, number: int) -> dict[str, Any]:
    held, events = tables.subscriptions, tables.events
    with populated.connect() as connection:
        states = sa.select(held.c.state).where(
            sa.or_(held.c.id == number, held.c.renews_id == number)
        )
        warnings = sa.select(sa.func.count()).where(
            events.c.name == "subscription.ending",
            events.c.payload["subscription_id"].as_integer() == number,
        )
        return {
            "states": list(connection.execute(states.order_by(held.c.id)).scalars()),
            "warnings": connection.execute(warnings).scalar_one(),
        }


def notification_count(populated: Engine) -> int:
    notifications, users = tables.notifications, tables.users
    query = (
        sa.select(sa.func.count())
        .select_from(notifications)
        .join(users, users.c.id == notifications.c.user_id)
        .where(users.c.name == WHO)
    )
    with populated.connect() as connection:
        return int(connection.execute(query).scalar_one())


def test_a_day_of_care_twice(http: httpx2.Client, populated: Engine, until: Until) -> None:
    number = sold(populated)
    assert run(http, until) == "COMPLETED"
    once = came_of(populated, number)
    assert once == {"states": ["ending", "quoted"], "warnings": 1}
    until(lambda: notification_count(populated) > 0)
    heard = notification_count(populated)
    assert run(http, until) == "COMPLETED"
    assert (came_of(populated, number), notification_count(populated)) == (once, heard)
