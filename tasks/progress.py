"""Progress of a run as operators see it in the Prefect UI: one bar for each flow run."""

from __future__ import annotations

import time
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

SECONDS_BETWEEN = 1.0
"""An update costs a call to the server, so small steps are gathered."""


class ProgressBar:
    """Counts steps and shows them at most once a second."""

    def __init__(self, key: str, description: str, steps: int | None = None) -> None:
        self._steps = steps
        self._done = 0
        self._description = description
        self._shown = time.monotonic()
        self._artifact = UUID(
            str(create_progress_artifact(progress=0.0, key=key, description=description))
        )

    def step(self, text: str = "") -> None:
        """Counts one step; where the number of steps is not known the bar tends to its end."""
        self._done += 1
        if time.monotonic() - self._shown >= SECONDS_BETWEEN:
            self._show(self._share(), text)

    def finish(self, text: str) -> None:
        """Shows the end."""
        self._show(100.0, text)

    def _share(self) -> float:
        if self._steps:
            return 100.0 * min(self._done, self._steps) / self._steps
        return 100.0 * self._done / (self._done + 5)

    def _show(self, share: float, text: str) -> None:
        self._shown = time.monotonic()
        description = f"{self._description}: {text}" if text else self._description
        update_progress_artifact(self._artifact, progress=share, description=description)
