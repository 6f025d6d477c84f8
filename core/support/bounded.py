"""Limits the memory and time of work in this process, so that it alone fails."""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.user_errors import UserError


class TookTooLong(UserError):
    """The work was broken off."""

    def __init__(self) -> None:
        super().__init__("it took longer than a check may take")


GRACE_SECONDS = 60.0
"""So long a block may take to notice that its time is over."""


@contextmanager
def bounded(size: int, seconds: float, grace: float = GRACE_SECONDS) -> Iterator[None]:
    """Allows the block ``size`` bytes of memory beyond those in use, and ``seconds`` of time.

    Beyond them ``MemoryError`` or ``TookTooLong`` is raised inside the block. Python raises only
    between its own instructions: a block that is inside one call of a library for ``grace``
    seconds more ends with its whole process.
    """
    thread = threading.get_ident()
    timers = [
        threading.Timer(seconds, _raise_in, [thread]),
        threading.Timer(seconds + grace, os.kill, [os.getpid(), signal.SIGKILL]),
    ]
    for timer in timers:
        timer.daemon = True
        timer.start()
    try:
        with (
            _limited(resource.RLIMIT_DATA, _in_use() + size),
            _limited(resource.RLIMIT_CPU, _processor_seconds(seconds + grace)),
        ):
            yield
    finally:
        for timer in timers:
            timer.cancel()


def _in_use() -> int:
    """Bytes of memory that the process uses."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmData:")[2].split()[0])


def _processor_seconds(seconds: float) -> int:
    """What the process may have used by then, all its threads at work.

    A call that lets no other thread run stops the timers too; the kernel ends it by this limit.
    """
    return math.ceil(time.process_time() + seconds * (os.cpu_count() or 1))


@contextmanager
def _limited(kind: int, most: int) -> Iterator[None]:
    before = soft, hard = resource.getrlimit(kind)
    limits = [limit for limit in (most, soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(kind, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


def _raise_in(thread: int) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(TookTooLong)
    )
