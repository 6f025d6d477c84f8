"""So many of something a minute: links that are opened, sign-ins that come back."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque

SECONDS = 60.0
MOST_KEYS = 10_000
"""So many are remembered; a flood of new ones forgets the oldest, never the memory's bound."""


class RateLimit:
    """Counts what each key did in the last minute, in this process."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, key: str, most: int) -> bool:
        """Whether one more is within ``most`` a minute; counts it if so."""
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
