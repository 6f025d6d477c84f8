"""Registers pool, queues, limits and deployments with Prefect; a second time changes nothing.

``python -m deployments.apply`` does it in a process of its own, as ``grouper up`` needs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.settings import PROJECT, Settings
from core.settings import settings as current_settings
from core.user_errors import UserError
from deployments.prefect_program import run_prefect, server_is_ready, wait_for
from deployments.queues import Queue, Queues, load_queues
from deployments.rules import load_rules

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient


def apply(settings: Settings, project: Path = PROJECT) -> str:
    """Brings the server at ``settings.api_url`` in line with queues.yaml and ``prefect.yaml``.

    Runs in a process of its own, since Prefect reads its settings once. Gives what Prefect said;
    raises ``UserError`` if the server is away or refuses.
    """
    load_rules()
    load_queues()
    if not server_is_ready(settings.api_url):
        raise UserError(
            f"Prefect's server does not answer at {settings.api_url}: start it with `grouper up`, "
            "or set GROUPER_PREFECT_API_URL"
        )
    done = subprocess.run(
        apply_command(),
        cwd=project,
        env=apply_environment(settings, project),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UserError(f"Prefect refused the deployments:\n{done.stdout}{done.stderr}".strip())
    return done.stdout


def apply_command() -> list[str]:
    return [sys.executable, "-m", "deployments.apply"]


def apply_environment(settings: Settings, project: Path = PROJECT) -> dict[str, str]:
    """The project's flows and ours can both be imported there."""
    places = [str(project), str(PROJECT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        **settings.environment(),
        "GROUPER_PROJECT": str(project),
        "PYTHONPATH": os.pathsep.join(filter(None, places)),
    }


def apply_queues(client: SyncPrefectClient, queues: Queues) -> None:
    """Makes what is missing and sets what differs."""
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectNotFound

    try:
        client.read_work_pool(queues.pool)
    except ObjectNotFound:
        client.create_work_pool(WorkPoolCreate(name=queues.pool, type=queues.type))
    for name, queue in queues.queues.items():
        _apply_queue(client, queues.pool, name, queue)


def _apply_queue(client: SyncPrefectClient, pool: str, name: str, queue: Queue) -> None:
    from prefect.exceptions import ObjectNotFound

    wanted = {
        "concurrency_limit": queue.limit,
        "priority": queue.priority,
        "description": queue.description,
    }
    try:
        found = client.read_work_queue_by_name(name, work_pool_name=pool)
    except ObjectNotFound:
        found = client.create_work_queue(name=name, work_pool_name=pool)
    if any(getattr(found, field) != value for field, value in wanted.items()):
        client.update_work_queue(found.id, **wanted)


def main() -> None:
    """Applies to the server of this process's environment, as soon as it is ready."""
    from prefect.cli import deploy as _early  # noqa: F401 (imported while the server starts)
    from prefect.client.orchestration import SyncPrefectClient

    settings = current_settings()
    wait_for(lambda: server_is_ready(settings.api_url))
    with SyncPrefectClient(settings.api_url) as client:
        apply_queues(client, load_queues())
    run_prefect("--no-prompt", "deploy", "--all")


if __name__ == "__main__":
    main()
