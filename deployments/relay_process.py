"""The relay as a process: ``python -m deployments.relay_process [TIME]``.

TIME (ISO) is when everything was started: no earlier run is alive.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import NoReturn

from core.database.engine import database_url, engine
from core.database.listening import act_on_notifications
from core.events.outbox import CHANNEL
from core.settings import Settings
from core.settings import settings as current_settings
from deployments.orphaned_work import Sweep
from deployments.prefect_api import PrefectApi, RefusedError, ServerAwayError
from deployments.relay import Relay
from deployments.rules import load_rules

log = logging.getLogger("grouper.relay")

FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0
FIRST_LOOK, LONGEST_LOOK = 0.25, 2.0
"""Seconds between checks whether a queue has room: soon after an event, and later."""


class RelayProcess:
    """Delivers at each notification, sweeps now and then, waits longer while something is away."""

    def __init__(self, settings: Settings, *, nothing_before: datetime | None = None) -> None:
        self.url = database_url(settings)
        self.api = PrefectApi(settings)
        self.relay = Relay(engine(self.url), self.api, load_rules())
        self.sweep = Sweep(self.relay, nothing_before=nothing_before)
        self.sweep_seconds = settings.sweep_seconds
        self.wait = FIRST_WAIT
        self.look = FIRST_LOOK
        self.next_sweep = 0.0
        self.behind = False
        self.knows_its_rules = False

    def run(self) -> NoReturn:
        """Works until the process is ended."""
        act_on_notifications(
            self.url, CHANNEL, self._act, name="relay", seconds_away=self._longer_wait
        )

    def _act(self, notified: bool) -> float:
        """Does what is due; returns the seconds until the next check."""
        if notified:
            self.look = FIRST_LOOK
        if not self.knows_its_rules:
            self.relay.forget_gone_rules()
            self.knows_its_rules = True
        self.step()
        return self._idle_seconds()

    def step(self) -> None:
        """Delivers and, when it is time, sweeps; an absent server is tried at the next step."""
        self.behind = not all([self._try(self.relay.deliver_pending), self._try(self._sweep)])
        if not self.behind:
            self.wait = FIRST_WAIT

    def _try(self, work: Callable[[], object]) -> bool:
        try:
            work()
        except (ServerAwayError, RefusedError) as error:
            log.warning("not delivered yet: %s", error)
            return False
        return True

    def _sweep(self) -> None:
        if time.monotonic() >= self.next_sweep:
            self.sweep()
            self.next_sweep = time.monotonic() + self.sweep_seconds

    def _idle_seconds(self) -> float:
        if self.behind:
            return self._longer_wait()
        until_sweep = max(0.0, self.next_sweep - time.monotonic())
        return min(until_sweep, self._next_look()) if self.relay.held_back else until_sweep

    def _next_look(self) -> float:
        look, self.look = self.look, min(1.5 * self.look, LONGEST_LOOK)
        return look

    def _longer_wait(self) -> float:
        wait, self.wait = self.wait, min(2 * self.wait, LONGEST_WAIT)
        return wait


def main() -> None:
    """Runs the relay until SIGTERM."""
    settings = current_settings()
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    started = datetime.fromisoformat(sys.argv[1]) if len(sys.argv) > 1 else None
    RelayProcess(settings, nothing_before=started).run()


if __name__ == "__main__":
    main()
