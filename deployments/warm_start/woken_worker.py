"""Prefect's worker of processes, woken where a run was created instead of at its next poll."""

from __future__ import annotations

import asyncio
import threading
import warnings
from typing import Any

from prefect.workers.process import ProcessWorker

from core.database.engine import database_url
from core.database.listening import act_on_notifications
from core.events.runs_created import CHANNEL

SECONDS_BETWEEN = 60.0
"""It polls beside this; a look of its own only finds out that the connection is alive."""
SECONDS_AWAY = 1.0

with warnings.catch_warnings():  # it takes the place of the type that it is made from
    warnings.simplefilter("ignore", UserWarning)

    class WokenWorker(ProcessWorker):
        """Asks for runs at once when told that there is one; polls as well."""

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
                lambda told: self._look(loop, told),
                name="worker",
                seconds_away=lambda: SECONDS_AWAY,
            )

        def _look(self, loop: asyncio.AbstractEventLoop, told: bool) -> float:
            if told:
                looking = asyncio.run_coroutine_threadsafe(self._look_once(), loop)
                looking.result()
            return SECONDS_BETWEEN

        async def _look_once(self) -> None:
            try:
                await self.get_and_submit_flow_runs()
            except Exception as error:  # the next poll tries again, and slows down as it should
                self._logger.warning("no runs could be asked for: %s", type(error).__name__)


def is_in_use() -> Any:
    """The type that ``prefect worker start --type process`` makes now."""
    from prefect.workers.base import BaseWorker

    return BaseWorker.get_worker_class_from_type("process")
