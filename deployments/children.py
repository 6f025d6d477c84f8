"""A child process of the supervisor: started, watched, started again, stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.support.processes import start_child

MARK = "GROUPER_SERVICES_OF"
"""The environment variable with the home, in every process that the supervisor starts and in
their children."""
LOG_BYTES = 20_000_000
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_SECONDS = 60.0


@dataclass
class Child:
    """A program that is kept running; its output goes to ``log``."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    folder: Path
    log: Path
    process: subprocess.Popen[bytes] | None = None
    pause: float = FIRST_PAUSE
    _started_at: float = field(default=0.0)

    def start(self) -> None:
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._started_at = time.monotonic()
        with self.log.open("ab") as output:
            self.log.chmod(0o600)
            self.process = start_child(
                self.command,
                death_signal=signal.SIGTERM,
                env=self.environment,
                cwd=self.folder,
                stdout=output,
                stderr=output,
            )

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.poll() is None else None

    @property
    def died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def due(self) -> bool:
        """Whether a dead child may start again: the pause grows with each early death."""
        return time.monotonic() - self._started_at >= self.pause

    def start_again(self) -> None:
        lived = time.monotonic() - self._started_at
        self.pause = FIRST_PAUSE if lived > STEADY_SECONDS else min(2 * self.pause, LONGEST_PAUSE)
        self.start()

    def request_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def stop(self, seconds: float = 20) -> None:
        """Ends the program and whatever is left of its process group."""
        self.request_stop()
        if self.process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def tail(self, size: int = 3000) -> str:
        """The end of the log."""
        return self.log.read_bytes()[-size:].decode(errors="replace").strip()


def mark(home: Path) -> dict[str, str]:
    return {MARK: str(home)}


def leftover_processes(home: Path) -> list[int]:
    """Processes that services of this home started and that outlived them, such as a flow whose
    worker was killed."""
    entry = f"{MARK}={home}".encode()
    pids = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit() and int(place.name) != os.getpid():
            with contextlib.suppress(OSError):
                if entry in (place / "environ").read_bytes().split(b"\0"):
                    pids.append(int(place.name))
    return pids


def end_leftovers(home: Path, seconds: float = 5) -> None:
    """Terminates leftover processes, and kills those that remain after ``seconds``."""
    deadline = time.monotonic() + seconds
    _signal_all(leftover_processes(home), signal.SIGTERM)
    while (left := leftover_processes(home)) and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal_all(left, signal.SIGKILL)


def _signal_all(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
