"""Tidy up: once a day, end what has been kept for as long as it was to be."""

from __future__ import annotations

import datetime as dt

from prefect import flow, get_run_logger

from core.database.engine import engine
from core.events.log_groups import end_posts
from core.settings import settings


@flow(name="tidy-up", persist_result=False, retries=5, retry_delay_seconds=60)
def tidy_up() -> int:
    """Ends the posts of log groups that are older than ``GROUPER_LOG_DAYS``; gives how many."""
    before = dt.datetime.now(dt.UTC) - dt.timedelta(days=settings().log_days)
    with engine().begin() as connection:
        ended = end_posts(connection, before)
    get_run_logger().info("%s posts from before %s ended", ended, before.date())
    return ended
