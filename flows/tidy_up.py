"""Tidy up: once a day, delete what has expired, and request missing figures."""

from __future__ import annotations

import datetime as dt

from prefect import flow, get_run_logger

from core.database.engine import engine
from core.events.log_groups import end_posts
from core.events.prefect_webhook import forget_calls
from core.files.store import open_store
from core.kpis.catalogue import request_missing
from core.kpis.kpi_schema import delete_old_episodes
from core.reports.expiring import expire_reports
from core.settings import settings
from flows.running import flow_run_lock


@flow(name="tidy-up", persist_result=False, retries=5, retry_delay_seconds=60)
def tidy_up() -> int:
    """Deletes expired posts of log groups (``GROUPER_LOG_DAYS``) and expires reports
    (``GROUPER_REPORT_DAYS``); returns the number of posts."""
    now = dt.datetime.now(dt.UTC)
    before = now - dt.timedelta(days=settings().log_days)
    with flow_run_lock():
        with engine().begin() as connection:
            ended = end_posts(connection, before)
            forget_calls(connection, now - dt.timedelta(days=1))
        with engine().begin() as connection:
            delete_old_episodes(connection, now)
            request_missing(connection, now)
        reports = expire_reports(engine(), open_store(), now)
    get_run_logger().info(
        "%s posts from before %s and %s reports ended", ended, before.date(), reports
    )
    return ended
