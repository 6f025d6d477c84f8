"""Subscriptions: once a day, begin, warn, end, and quote renewals."""

from __future__ import annotations

import datetime as dt

from prefect import flow, get_run_logger

from core.accounts.daily import update_subscriptions
from core.accounts.today import today
from core.database.engine import engine
from flows.running import flow_run_lock


@flow(name="subscriptions", persist_result=False, retries=5, retry_delay_seconds=60)
def subscriptions(day: dt.date | None = None) -> int:
    """Does what is due today, or on ``day``; returns how many subscriptions changed state."""
    with flow_run_lock(), engine().begin() as connection:
        counts = update_subscriptions(connection, day or today())
    get_run_logger().info(
        "%s moved on, %s warnings, %s renewals quoted", counts.moved, counts.warned, counts.renewals
    )
    return counts.moved
