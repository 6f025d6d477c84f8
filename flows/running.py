"""What every flow does around its work: database, one run a subject, the error queue."""

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
from core.database.locks import FLOW_RUN, BusyError, only_while_held, subject_lock
from core.settings import settings
from core.support.faults import Fault, Stopped, fault_of, is_temporary


def alone_on(kind: str, subject_id: int, work: Callable[[Engine], str]) -> str:
    """What the work says, done while this process alone works on a file, a submission, a report.

    The lock belongs to the process's own connection, so it is gone the moment the process is; that
    is how a dead run is told from a slow one. Where another has it, says so and does nothing. When
    it was lost in the middle of the work, says so too: the run ends, and the sweep starts another.
    """
    url = database.database_url()
    try:
        with (
            alive(),
            subject_lock(url, kind, subject_id) as held,
            only_while_held(database.engine(url), held) as engine,
        ):
            return work(engine)
    except BusyError as other:
        get_run_logger().warning("%s", other)
        return str(other)


@contextmanager
def alive() -> Iterator[None]:
    """Holds the lock of the flow's run, by which the sweep sees that its process lives."""
    run_id = _flow_run()
    if run_id is None:
        yield
        return
    with subject_lock(database.database_url(), FLOW_RUN, run_id):
        yield


def threads(number: int) -> TaskRunner[PrefectFuture[Any]]:
    """Runs the tasks of one run, so many at once; Arrow, numpy and sockets free each other."""
    runner = ThreadPoolTaskRunner[Any](max_workers=number)
    return cast("TaskRunner[PrefectFuture[Any]]", runner)


def chunk_threads() -> TaskRunner[PrefectFuture[Any]]:
    """Threads for the chunks of one run."""
    return threads(settings().task_threads)


@contextmanager
def failing(engine: Engine, what: str, fail: Callable[[Connection, Fault], str]) -> Iterator[None]:
    """Ends what the block works on, by ``fail``, if the block raises.

    Not so for faults that pass: they were tried again as often as a task may, and then it is left
    as it is, with nobody at work on it, so that the sweep takes it up again and at last gives up.
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
    found = flow_run_id()
    return None if found is None else UUID(found)


def flow_run_id() -> str | None:
    """The id of the running flow, None outside Prefect."""
    found: str | None = runtime.flow_run.id
    return found
