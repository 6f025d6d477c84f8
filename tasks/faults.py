"""What is worth another try, and how long to wait between tries."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from core.support.faults import passes


def fault_passes(task: Task[Any, Any], run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001
    """Whether the task that failed is worth another try."""
    try:
        state.result()
    except Exception as error:
        return passes(error)
    return False


RETRYING: dict[str, Any] = {
    "retries": 4,
    "retry_delay_seconds": exponential_backoff(backoff_factor=1),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": fault_passes,
}
"""Keyword arguments of every task that touches a server."""
