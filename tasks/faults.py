"""What is worth another try, and how long to wait between tries."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from core.database.locks import BusyError
from core.support.faults import Stopped, is_temporary


def fault_passes(task: Task[Any, Any], run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001
    """Whether the task that failed is worth another try."""
    try:
        state.result()
    except Exception as error:
        return is_temporary(error)
    return False


P = ParamSpec("P")
R = TypeVar("R")


def hushed(work: Callable[P, R]) -> Callable[P, R]:
    """The work of a task, whose errors name their kind alone: Prefect keeps the text of errors, and
    one may hold a value of a record or the name of a file.

    What passes by itself stays as it is, and so does a lost lock; both say nothing of records.
    """

    @wraps(work)
    def quiet(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            return work(*arguments, **named)
        except Exception as error:
            if is_temporary(error) or isinstance(error, BusyError | Stopped):
                raise
            raise Stopped(error) from None

    return quiet


RETRYING: dict[str, Any] = {
    "retries": 4,
    "retry_delay_seconds": exponential_backoff(backoff_factor=1),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": fault_passes,
}
"""Keyword arguments of every task that touches a server."""
