"""Which faults pass and are worth another try, and how long to wait between tries."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy.exc
from botocore.exceptions import BotoCoreError
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

PASSING = (
    psycopg.OperationalError,
    sqlalchemy.exc.OperationalError,
    ConnectionError,
    TimeoutError,
    BotoCoreError,
)
"""A server away or busy. Anything else is the same the next time: it is not tried again."""


def fault_passes(task: Task[Any, Any], run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001
    """Whether the task that failed is worth another try."""
    try:
        state.result()
    except PASSING:
        return True
    except Exception:
        return False
    return False


RETRYING: dict[str, Any] = {
    "retries": 4,
    "retry_delay_seconds": exponential_backoff(backoff_factor=1),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": fault_passes,
}
"""Keyword arguments of every task that touches a server."""
