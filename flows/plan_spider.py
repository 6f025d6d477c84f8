"""Plan a crawl of the spider: once a month, for the whole of the source in use."""

from __future__ import annotations

from prefect import flow, get_run_logger

from core.areas.crawls import request_crawl
from core.areas.sources import find_source
from core.database.engine import engine
from core.settings import settings
from core.user_errors import UserError
from flows.running import flow_run_lock


@flow(name="plan-spider", persist_result=False, retries=5, retry_delay_seconds=60)
def plan_spider() -> str:
    """Requests a crawl, which waits for its turn, unless one is under way."""
    source = find_source(settings().area_source, settings().area_sources)
    try:
        with flow_run_lock(), engine().begin() as connection:
            run_id = request_crawl(connection, source, within=None, user_id=None)
    except UserError as refused:
        get_run_logger().warning("%s", refused)
        return str(refused)
    return f"crawl {run_id} is asked for"
