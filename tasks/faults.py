"""Which failed tasks are retried, and after how long."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from core.database.locks import BusyError
from core.support.faults import Stopped, is_temporary


def is_retryable(task: Task[Any, Any], run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001
    """Whether the failed task is retried: the fault is temporary."""
    try:
        state.result()
    except Exception as error:
        return is_temporary(error)
    return False


P = ParamSpec("P")
R = TypeVar("R")


def without_error_text(work: Callable[P, R]) -> Callable[P, R]:
    """Decorates the work of a task so that its errors contain only their kind: Prefect stores the
    text of errors, which may contain a value of a record or the name of a file.

    Temporary faults and lost locks are raised unchanged; they contain nothing of records.
    """

    @wraps(work)
    def wrapped(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            return work(*arguments, **named)
        except Exception as error:
            if is_temporary(error) or isinstance(error, BusyError | Stopped):
                raise
            raise Stopped(error) from None

    return wrapped


RETRYING: dict[str, Any] = {
    "retries": 4,
    "retry_delay_seconds": exponential_backoff(backoff_factor=1),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": is_retryable,
}
"""Keyword arguments of every task that touches a server."""
