"""A server of the tests in a process of its own, which dies with the test."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from core.settings import PROJECT
from core.support.processes import start_child


@contextmanager
def serving(module: str, *options: str) -> Iterator[str]:
    """Starts ``python -m module``, which prints its port first; gives its URL."""
    process = start_child(
        [sys.executable, "-m", module, *options],
        death_signal=signal.SIGKILL,
        stdout=subprocess.PIPE,
        cwd=PROJECT,
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
