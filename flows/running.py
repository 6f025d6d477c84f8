"""What every flow does around its work: settings, database, one run a subject, a reference."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from prefect import runtime
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from sqlalchemy import Engine

from core.database import engine as database
from core.database.locks import only_while_held, subject_lock
from core.settings import settings


@contextmanager
def working_on(kind: str, subject_id: int) -> Iterator[Engine]:
    """The engine, while this process alone works on a file, a submission or a report.

    The lock belongs to the process's own connection, so it is gone the moment the process is; that
    is how a dead run is told from a slow one. Raises ``BusyError``, also in the middle of the work
    when the lock was lost: then the run ends, and the sweep starts another.
    """
    url = database.database_url()
    with (
        subject_lock(url, kind, subject_id) as held,
        only_while_held(database.engine(url), held) as engine,
    ):
        yield engine


def chunk_threads() -> TaskRunner[PrefectFuture[Any]]:
    """Runs the chunk tasks of one run in so many threads; Arrow and numpy free each other."""
    runner = ThreadPoolTaskRunner[Any](max_workers=settings().task_threads)
    return cast("TaskRunner[PrefectFuture[Any]]", runner)


def new_reference() -> str:
    """What user and operator both see of a failure, so that they can speak of the same one."""
    return secrets.token_hex(4).upper()


def flow_run_id() -> str | None:
    """The id of the running flow, None outside Prefect."""
    found: str | None = runtime.flow_run.id
    return found
