"""Deadline digest: once a day, remind people of the months that are to be submitted."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from prefect import flow, get_run_logger

from core.database.engine import engine
from core.notifications.deadlines import raise_digests
from flows.running import flow_run_lock

TIME_ZONE = ZoneInfo("Europe/London")


@flow(name="deadline-digest", persist_result=False, retries=5, retry_delay_seconds=60)
def deadline_digest(day: dt.date | None = None) -> int:
    """Raises the digests of today, or of ``day``; returns how many."""
    today = day or dt.datetime.now(TIME_ZONE).date()
    with flow_run_lock(), engine().begin() as connection:
        digests = raise_digests(connection, today)
    get_run_logger().info("%s digests of deadlines", digests)
    return digests
