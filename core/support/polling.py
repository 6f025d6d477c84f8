"""Waits for the work of other processes and reports each change of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from sqlalchemy import Connection, Engine

from core.user_errors import UserError

LOOK_SECONDS = 0.2
QUIET_SECONDS = 600.0
"""Seconds without any change after which a person should investigate."""

T = TypeVar("T")


class NoProgress(UserError):
    """The awaited work has not changed for too long."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(
            f"nothing has happened to {what} for {seconds:.0f} s. It goes on by itself once the "
            "services run (`grouper up`); what holds it up is in their logs."
        )


def changes(
    engine: Engine,
    look: Callable[[Connection], T],
    *,
    what: str,
    quiet_seconds: float = QUIET_SECONDS,
) -> Iterator[T]:
    """The value of ``look`` now, and again whenever it differs; the caller stops the iteration.

    Each look has a transaction of its own. Raises ``NoProgress`` where ``quiet_seconds`` seconds
    pass without a change; ``what`` names the work in that message.
    """
    last_value: list[T] = []
    deadline = time.monotonic() + quiet_seconds
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            value = look(connection)
        if [value] != last_value:
            yield value
            last_value, deadline = [value], time.monotonic() + quiet_seconds
        time.sleep(LOOK_SECONDS)
    raise NoProgress(what, quiet_seconds)


def last(steps: Iterable[T]) -> T:
    """The last of the steps, once all have come."""
    [step] = deque(steps, maxlen=1)
    return step
