"""Progress: a bar for each flow run in the Prefect UI, and the counts of stages for the portal."""

from __future__ import annotations

import time
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from sqlalchemy import Engine

from core.submissions.stage_progress import StageProgress, record_stage
from core.vocabulary.states.submissions import SubmissionState

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
        """Counts one step; without a known number of steps the bar approaches its end."""
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


class StageTally:
    """Counts the results of the stages of a run, and writes them at most twice a second."""

    SECONDS_BETWEEN = 0.5

    def __init__(self, engine: Engine, run_id: int, chunks: int) -> None:
        self._engine, self._run_id, self._chunks = engine, run_id, chunks
        self._done: dict[SubmissionState, tuple[int, int]] = {}
        self._shown = 0.0

    def add(self, stage: SubmissionState, counted: int) -> None:
        """Adds one chunk that has passed the stage, and the count of its results."""
        done, before = self._done.get(stage, (0, 0))
        self._done[stage] = done + 1, before + counted
        if time.monotonic() - self._shown >= self.SECONDS_BETWEEN:
            self.show(stage)

    def show(self, stage: SubmissionState) -> None:
        """Writes the progress of the stage."""
        self._shown = time.monotonic()
        progress = StageProgress(self._chunks, *self._done.get(stage, (0, 0)))
        with self._engine.begin() as connection:
            record_stage(connection, self._run_id, stage, progress)
