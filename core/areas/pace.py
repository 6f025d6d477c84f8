"""How fast a source is asked: so many requests a second, and none while it wants to rest."""

from __future__ import annotations

import threading
import time


class Pace:
    """Shared by all threads that ask one source."""

    def __init__(self, per_second: float) -> None:
        self._between = 1 / per_second
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Returns when it is the caller's turn to ask."""
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._between
        while (left := turn - time.monotonic()) > 0:
            time.sleep(left)

    def rest(self, seconds: float) -> None:
        """Nobody's turn comes for so long, but for turns that were given already."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)
