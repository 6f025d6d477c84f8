"""Limits per minute: on opened links and on returning sign-ins."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque

SECONDS = 60.0
MOST_KEYS = 10_000
"""The most keys in memory; in a flood of new keys the oldest are forgotten."""


class RateLimit:
    """Counts the calls of each key in the last minute, in this process."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, key: str, most: int) -> bool:
        """Whether one more call is within ``most`` a minute; counts it if so."""
        now = time.monotonic()
        with self._lock:
            times = self._times.setdefault(key, deque())
            self._times.move_to_end(key)
            while times and now - times[0] > SECONDS:
                times.popleft()
            if len(times) >= most:
                return False
            times.append(now)
            while len(self._times) > MOST_KEYS:
                self._times.popitem(last=False)
        return True
