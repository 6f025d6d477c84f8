"""Turns a forked process into the program that the run's starter requests."""

from __future__ import annotations

import ctypes
import os
import random
import runpy
import signal
import sys
import tempfile
import time
from dataclasses import dataclass

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Request:
    """A starter's request: its folder, arguments (a module first), environment and streams."""

    folder: str
    arguments: list[str]
    environment: dict[str, str]
    streams: tuple[int, ...]
    parent: int = 0

    def close(self) -> None:
        """Closes the streams in a process that does not use them."""
        for stream in self.streams:
            os.close(stream)

    def carry_out(self) -> None:
        """Becomes the module, as ``python -m`` would run it."""
        self._stand_alone()
        self._take_streams()
        self._take_environment()
        module, *arguments = self.arguments
        sys.argv = [module, *arguments]
        read_prefect_settings()
        sys.modules.pop(module, None)  # it is to run once more, as the main program
        runpy.run_module(module, run_name="__main__", alter_sys=True)

    def _stand_alone(self) -> None:
        """Ends with the launcher; handles signals and draws random numbers as a new process."""
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self.parent:  # it died before the kernel was told
            os._exit(128 + signal.SIGKILL)
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        random.seed()

    def _take_streams(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, stream in enumerate(self.streams):
            os.dup2(stream, number)
        self.close()

    def _take_environment(self) -> None:
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        tempfile.tempdir = None
        time.tzset()
        places = [
            place for place in self.environment.get("PYTHONPATH", "").split(os.pathsep) if place
        ]
        rest = [place for place in sys.path[1:] if place not in places]
        sys.path[:] = [self.folder, *places, *rest]


def read_prefect_settings() -> None:
    """Prefect reads settings as it is imported; a run has settings of its own."""
    import prefect.context
    import prefect.logging.configuration as logging_of_prefect

    prefect.context.refresh_global_settings_context()
    logging_of_prefect.setup_logging(incremental=False)
