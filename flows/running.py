"""What every flow does around its work: one run for each subject, and the error queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

from prefect import get_run_logger, runtime
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from sqlalchemy import Connection, Engine

from core.database import engine as database
from core.database.locks import FLOW_RUN, BusyError, guarded_by_lock, subject_lock
from core.settings import settings
from core.support.faults import Fault, Stopped, fault_of, is_temporary


def run_exclusively(kind: str, subject_id: int, work: Callable[[Engine], str]) -> str:
    """Carries out work with the lock of its subject (a file, a submission, …); returns its text.

    The lock belongs to a connection of this process, so it ends with the process: that tells a dead
    run from a slow one. If another process has the lock, or it is lost during the work, the text
    says so, and the sweep starts another run.
    """
    url = database.database_url()
    try:
        with (
            flow_run_lock(),
            subject_lock(url, kind, subject_id) as lock,
            guarded_by_lock(database.engine(url), lock) as engine,
        ):
            return work(engine)
    except BusyError as busy:
        get_run_logger().warning("%s", busy)
        return str(busy)


@contextmanager
def flow_run_lock() -> Iterator[None]:
    """Holds the lock of the flow run, by which the sweep sees that its process is alive."""
    run_id = _flow_run()
    if run_id is None:
        yield
        return
    with subject_lock(database.database_url(), FLOW_RUN, run_id):
        yield


def threads(number: int) -> TaskRunner[PrefectFuture[Any]]:
    """A runner of tasks on so many threads; Arrow, numpy and sockets release the GIL."""
    runner = ThreadPoolTaskRunner[Any](max_workers=number)
    return cast("TaskRunner[PrefectFuture[Any]]", runner)


def chunk_threads() -> TaskRunner[PrefectFuture[Any]]:
    """A runner of tasks for the chunks of one run."""
    return threads(settings().task_threads)


@contextmanager
def recording_failure(
    engine: Engine, what: str, fail: Callable[[Connection, Fault], str]
) -> Iterator[None]:
    """Records the failure of the work by ``fail`` if the block raises.

    Temporary faults, after the retries of their task, are not recorded: the work is left orphaned,
    so that the sweep starts it again and at last gives up.
    """
    try:
        yield
    except Exception as error:
        if is_temporary(error):
            get_run_logger().warning("%s stopped for now: a service does not answer", what)
            raise
        fault = fault_of(error, flow_run=_flow_run())
        with engine.begin() as connection:
            reference = fail(connection, fault)
        get_run_logger().error("%s stopped, reference %s\n%s", what, reference, fault.detail)
        # Prefect keeps the text of an error, which may hold a value of a record.
        raise Stopped(error, f"{what} stopped, reference {reference}") from None


def _flow_run() -> UUID | None:
    run_id = flow_run_id()
    return None if run_id is None else UUID(run_id)


def flow_run_id() -> str | None:
    """The id of the running flow, None outside Prefect."""
    run_id: str | None = runtime.flow_run.id
    return run_id
