"""``grouper up`` as a user runs it, in a process of its own, so that it can be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from core.database.embedded import attach
from core.database.engine import with_driver
from core.settings import PROJECT, Settings
from core.support.processes import free_port
from core.user_errors import UserError
from deployments.apply import apply_environment
from deployments.children import leftover_processes, mark


class Installation:
    """``grouper up`` in a process of its own, as a user runs it, so that it can be killed."""

    def __init__(self, home: Path, **others: Any) -> None:
        self.home = home
        self.settings = Settings(
            home=home, prefect_port=free_port(), portal_port=free_port(), **others
        )
        self.process: subprocess.Popen[str] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []

    def up(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "cli.main", "up"],
            env={**os.environ, **self.settings.environment()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if line.startswith("Press Ctrl-C"):
                return
        pytest.fail("".join(said))

    def engine(self) -> Engine:
        url = with_driver(attach(self.home))
        return sa.create_engine(url, poolclass=sa.NullPool)

    def start_worker(self, name: str) -> None:
        """One more worker beside that of ``grouper up``, as on a second machine."""
        shared = apply_environment(self.settings, PROJECT)
        database = {"GROUPER_DATABASE_URL": attach(self.home), **mark(self.home)}
        with (self.settings.logs / f"{name}.log").open("ab") as log:
            self.workers.append(
                subprocess.Popen(
                    [sys.executable, "-m", "deployments.prefect_program", "worker", name],
                    env={**shared, **database},
                    stdout=log,
                    stderr=log,
                )
            )

    def stop_workers(self) -> None:
        """Ends what ``start_worker`` started."""
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(60)
        self.workers.clear()

    def kill(self, *parts: str) -> None:
        """Kills every process of ours whose command line holds one of the words, at once."""
        self.signal(signal.SIGKILL, *parts)

    def signal(self, number: signal.Signals, *parts: str) -> None:
        """Sends a signal to every process of ours whose command line holds one of the words."""
        victims = [
            pid for pid in leftover_processes(self.home) if any(part in line(pid) for part in parts)
        ]
        assert victims, f"nothing runs {parts}"
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill_everything(self) -> None:
        assert self.process is not None
        victims = [self.process.pid, *leftover_processes(self.home)]
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.stop_workers()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(60) == 0
        assert leftover_processes(self.home) == []


def line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except FileNotFoundError:
        return ""


def until(
    condition: Callable[[], Any],
    seconds: float = 180,
    *,
    every: float = 0.02,
    left: Callable[[], Any] = str,
) -> None:
    """Waits for a condition; a service that is away counts as not yet. ``left`` says what lacks."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(UserError, sa.exc.OperationalError, psycopg.OperationalError):
            if condition():
                return
        assert time.monotonic() < deadline, f"it did not happen in time {left()}"
        time.sleep(every)
