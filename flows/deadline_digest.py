"""Deadline digest: once a day, remind people of the months that are to be submitted."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from prefect import flow, get_run_logger

from core.database.engine import engine
from core.notifications.deadlines import raise_digests
from flows.running import alive

HERE = ZoneInfo("Europe/London")


@flow(name="deadline-digest", persist_result=False, retries=5, retry_delay_seconds=60)
def deadline_digest(day: dt.date | None = None) -> int:
    """Raises a digest for each person who has something new to read; of today, or of ``day``."""
    today = day or dt.datetime.now(HERE).date()
    with alive(), engine().begin() as connection:
        told = raise_digests(connection, today)
    get_run_logger().info("%s digests of deadlines", told)
    return told
