"""Prefect's process worker, woken when a run is created instead of at its next poll."""

from __future__ import annotations

import asyncio
import threading
import warnings

from prefect.workers.process import ProcessWorker

from core.database.engine import database_url
from core.database.listening import act_on_notifications
from core.events.runs_created import CHANNEL

SECONDS_BETWEEN = 60.0
"""The worker polls too; this look only tests that the connection is alive."""
SECONDS_AWAY = 1.0

with warnings.catch_warnings():  # it takes the place of the type that it is made from
    warnings.simplefilter("ignore", UserWarning)

    class WokenWorker(ProcessWorker):
        """Fetches runs as soon as it is notified of one; polls too."""

        type = "process"

        async def __aenter__(self) -> WokenWorker:
            await super().__aenter__()
            threading.Thread(
                target=self._listen, args=(asyncio.get_running_loop(),), daemon=True
            ).start()
            return self

        def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
            act_on_notifications(
                database_url(),
                CHANNEL,
                lambda notified: self._look(loop, notified),
                name="worker",
                seconds_away=lambda: SECONDS_AWAY,
            )

        def _look(self, loop: asyncio.AbstractEventLoop, notified: bool) -> float:
            if notified:
                looking = asyncio.run_coroutine_threadsafe(self._look_once(), loop)
                looking.result()
            return SECONDS_BETWEEN

        async def _look_once(self) -> None:
            try:
                await self.get_and_submit_flow_runs()
            except Exception as error:  # the next poll tries again, and slows down as it should
                self._logger.warning("no runs could be asked for: %s", type(error).__name__)
