"""Waits for work that other processes do, and shows it each time it has moved on."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from sqlalchemy import Connection, Engine

from core.user_errors import UserError

LOOK_SECONDS = 0.2
PATIENCE = 600.0
"""Seconds without any change after which somebody should look into it."""

T = TypeVar("T")


class NothingMoves(UserError):
    """What is waited for has stayed the same for too long."""

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
    patience: float = PATIENCE,
) -> Iterator[T]:
    """What ``look`` sees now, and again whenever it differs; the caller stops asking at the end.

    Each look has a transaction of its own. Raises ``NothingMoves`` where ``patience`` seconds
    pass without a change; ``what`` is what it then calls the thing.
    """
    seen: list[T] = []
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            found = look(connection)
        if [found] != seen:
            yield found
            seen, deadline = [found], time.monotonic() + patience
        time.sleep(LOOK_SECONDS)
    raise NothingMoves(what, patience)


def last(steps: Iterable[T]) -> T:
    """The last of the steps, once there are no more."""
    [step] = deque(steps, maxlen=1)
    return step
