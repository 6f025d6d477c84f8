"""Plan a migration: every night, while the settings name an old service."""

from __future__ import annotations

from prefect import flow, get_run_logger

from core.database.engine import engine
from core.migration.runs import request_or_resume
from core.settings import settings
from core.user_errors import UserError
from flows.running import flow_run_lock

NIGHTLY = "asked for every night"


@flow(name="plan-migration", persist_result=False, retries=5, retry_delay_seconds=60)
def plan_migration() -> str:
    """Requests a migration or resumes one that stopped, unless one is under way."""
    if settings().legacy_url is None:
        return "GROUPER_LEGACY_URL is not set: there is nothing to take over"
    try:
        with flow_run_lock(), engine().begin() as connection:
            run_id = request_or_resume(connection, user_id=None, reason=NIGHTLY)
    except UserError as refused:
        get_run_logger().warning("%s", refused)
        return str(refused)
    return f"migration {run_id} is asked for"
