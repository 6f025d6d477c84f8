"""The sender of notifications as a process: ``python -m deployments.sender_process``.

Each channel has a thread of its own, so that a slow webhook delays no e-mail.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from typing import NoReturn

from sqlalchemy import Engine

from core.database.engine import database_url, engine
from core.database.listening import DATABASE_AWAY, act_on_notifications
from core.notifications.email import send_email
from core.notifications.notify import WAKE_CHANNEL
from core.notifications.sending import Send, seconds_to_next, send_next
from core.notifications.webhook import send_webhook
from core.settings import Settings
from core.settings import settings as current_settings
from core.vocabulary.topics import Channel

log = logging.getLogger("grouper.sender")

LONGEST_IDLE = 30.0
AWAY_SECONDS = 1.0


class Courier:
    """Sends what is due on one channel, in a thread, until it is asked to stop."""

    def __init__(self, database: Engine, channel: Channel, send: Send) -> None:
        self.database = database
        self.channel = channel
        self.send = send
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"courier {channel}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Looks at once whether something is due."""
        self._woken.set()

    def stop(self) -> None:
        """Waits until the current message is sent and recorded, so that it is not sent again."""
        self._stopping = True
        self.wake()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            self._woken.wait(self._work())

    def _work(self) -> float:
        """Sends what is due; returns the seconds for which there is nothing to do."""
        try:
            while not self._stopping and send_next(self.database, self.channel, self.send):
                pass
            due = seconds_to_next(self.database, self.channel)
        except DATABASE_AWAY as error:
            log.warning("%s: the database is away: %s", self.channel, error)
            return AWAY_SECONDS
        return LONGEST_IDLE if due is None else min(due, LONGEST_IDLE)


def couriers(settings: Settings, database: Engine) -> list[Courier]:
    """A courier for each channel of this installation."""
    made = [Courier(database, Channel.WEBHOOK, send_webhook)]
    if settings.smtp_host is not None:
        made.append(Courier(database, Channel.EMAIL, send_email))
    return made


def listen(url: str, team: list[Courier]) -> NoReturn:
    """Wakes the couriers whenever something new waits, for ever."""

    def wake(_told: bool) -> float:
        for courier in team:
            courier.wake()
        return LONGEST_IDLE

    act_on_notifications(url, WAKE_CHANNEL, wake, name="sender", seconds_away=lambda: AWAY_SECONDS)


def main() -> None:
    """Sends until SIGTERM."""
    settings = current_settings()
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    url = database_url(settings)
    team = couriers(settings, engine(url))
    for courier in team:
        courier.start()
    try:
        listen(url, team)
    finally:
        for courier in team:
            courier.stop()


if __name__ == "__main__":
    main()
