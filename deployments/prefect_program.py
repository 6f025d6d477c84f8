"""Prefect's own programs, made ready while its server still starts.

``python -m deployments.prefect_program worker NAME`` imports what a worker needs, waits for the
server and the work pool, and then is ``prefect worker start``.
"""

from __future__ import annotations

import importlib
import signal
import sys
import time
from collections.abc import Callable

from core.settings import settings
from deployments.health_check import answers
from deployments.prefect_login import PrefectLogin
from deployments.queues import load_queues

POLL_SECONDS = 0.1


def run_prefect(*arguments: str) -> None:
    """Runs the command ``prefect`` in this process; it ends the process with its own code."""
    from prefect.cli import app

    sys.argv = ["prefect", *arguments]
    app()


def wait_for(is_true: Callable[[], bool]) -> None:
    """Waits until ``is_true`` is true; the supervisor decides how long that may take."""
    while not is_true():
        time.sleep(POLL_SECONDS)


def server_is_ready(api_url: str) -> bool:
    """Whether Prefect's server answers, with its database."""
    return answers(f"{api_url}/ready")


def main() -> None:
    """Becomes a worker of the pool."""
    _worker, name = sys.argv[1:]
    # A shell makes what it starts in the background deaf to SIGINT; to Prefect's worker SIGTERM is
    # SIGINT, so it would never stop.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    pool = load_queues().pool
    for module in ("prefect.cli.worker", "deployments.warm_start.woken_worker"):
        importlib.import_module(module)
    here = settings()
    wait_for(lambda: answers(f"{here.api_url}/work_pools/{pool}", PrefectLogin(here)))
    run_prefect(
        "worker", "start", "--pool", pool, "--type", load_queues().type, "--name", name,
        "--install-policy", "never",
    )  # fmt: skip


if __name__ == "__main__":
    main()
