"""A real flow that does next to nothing: it notes that it ran, and for what."""

from __future__ import annotations

import os
from pathlib import Path

from prefect import flow, runtime


@flow(name="probe")
def probe(file_id: int, folder: str) -> None:
    """Leaves a file named after the subject and the run."""
    assert os.environ["GROUPER_HOME"]
    (Path(folder) / f"{file_id}-{runtime.flow_run.id}").touch()
