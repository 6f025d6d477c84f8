"""Limits the memory and time of work in this process, so that it alone fails."""

from __future__ import annotations

import ctypes
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.user_errors import UserError


class TookTooLong(UserError):
    """The work was broken off."""

    def __init__(self) -> None:
        super().__init__("it took longer than a check may take")


@contextmanager
def bounded(size: int, seconds: float) -> Iterator[None]:
    """Allows the block ``size`` bytes of memory beyond those in use, and ``seconds`` of time.

    Beyond them ``MemoryError`` or ``TookTooLong`` is raised inside the block.
    """
    before = resource.getrlimit(resource.RLIMIT_DATA)
    timer = threading.Timer(seconds, _raise_in, [threading.get_ident()])
    timer.daemon = True
    timer.start()
    try:
        _limit(_in_use() + size, before[1])
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
        timer.cancel()


def _in_use() -> int:
    """Bytes of memory that the process uses."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmData:")[2].split()[0])


def _limit(size: int, hard: int) -> None:
    most = size if hard == resource.RLIM_INFINITY else min(size, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _raise_in(thread: int) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(TookTooLong)
    )
