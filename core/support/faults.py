"""Faults: which are temporary, and how each is reported without values of records."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
import sqlalchemy.exc
from botocore.exceptions import BotoCoreError

from core.settings import PROJECT
from core.user_errors import UserError

TEMPORARY = (
    psycopg.OperationalError,
    sqlalchemy.exc.OperationalError,
    ConnectionError,
    TimeoutError,
    BotoCoreError,
)
"""A server is away or busy. Any other error would recur, so it is not retried."""

RESOURCES_EXHAUSTED = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE)
"""These errors pass when a disk has space again, or when another process ends."""

FRAMES = 12


class Stopped(Exception):
    """Stands in for an error where texts are kept that others read: its own text is the kind of
    the error alone. ``origin`` is the error."""

    def __init__(self, origin: BaseException, text: str = "") -> None:
        super().__init__(text or f"stopped by {type(origin).__name__}")
        self.origin = origin


@dataclass(frozen=True)
class Fault:
    """Why work stopped: ``reason`` is a sentence for people, ``detail`` helps to investigate.

    ``detail`` holds no values of records: operators see processes, not patients.
    """

    reason: str
    detail: str = ""
    attempts: int = 1
    flow_run: UUID | None = None


def is_temporary(error: BaseException) -> bool:
    """Whether the same work may succeed a little later."""
    return isinstance(error, TEMPORARY) or (
        isinstance(error, OSError) and error.errno in RESOURCES_EXHAUSTED
    )


def fault_of(error: BaseException, *, flow_run: UUID | None = None, attempts: int = 1) -> Fault:
    """Why work stopped, without values of records, which messages of libraries may contain."""
    if isinstance(error, Stopped):
        return fault_of(error.origin, flow_run=flow_run, attempts=attempts)
    return Fault(_sentence(error), _detail(error), attempts, flow_run)


def _sentence(error: BaseException) -> str:
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There was not enough memory"
    if is_temporary(error):
        return "A service it needs did not answer, or had no room left"
    return f"The program stopped where it should not ({type(error).__name__})"


def _detail(error: BaseException) -> str:
    return "\n".join(_lines(error))


def _lines(error: BaseException) -> Iterator[str]:
    """Class of the error and its frames, innermost last; then those of the error that caused it."""
    yield f"{type(error).__qualname__}{_code_of(error)}"
    for frame in traceback.extract_tb(error.__traceback__)[-FRAMES:]:
        yield f"  {_place(frame.filename)}:{frame.lineno} in {frame.name}"
    origin = error.__cause__ or error.__context__
    if origin is not None:
        yield "from"
        yield from _lines(origin)


def _code_of(error: BaseException) -> str:
    """The code of an error, which is safe to show; its text is not."""
    origin = getattr(error, "orig", error)
    if isinstance(origin, psycopg.Error) and origin.sqlstate:
        constraint = origin.diag.constraint_name
        return f" {origin.sqlstate}" + (f" {constraint}" if constraint else "")
    if isinstance(error, OSError) and error.errno:
        return f" {errno.errorcode.get(error.errno, error.errno)}"
    return ""


def _place(file: str) -> str:
    path = Path(file)
    if path.is_relative_to(PROJECT):
        path = path.relative_to(PROJECT)
    parts = path.parts
    if "site-packages" in parts:
        path = Path(*parts[parts.index("site-packages") + 1 :])
    return str(path)
