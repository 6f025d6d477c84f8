"""Limits requests to a source: so many a second, and none during a Retry-After."""

from __future__ import annotations

import threading
import time


class RateLimiter:
    """A limit that all threads that ask one source share."""

    def __init__(self, per_second: float) -> None:
        self._between = 1 / per_second
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Returns when the caller may send a request."""
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._between
        while (left := turn - time.monotonic()) > 0:
            time.sleep(left)

    def pause(self, seconds: float) -> None:
        """Allows no further request for so many seconds."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)
