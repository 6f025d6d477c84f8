"""Registers pool, queues, limits, automations and deployments; idempotent.

``python -m deployments.apply [--all]`` does it in a process of its own. Without ``--all`` it skips
deployments that were made from the same files, since Prefect's own command takes seconds.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2

from core.documents import read_document
from core.settings import PROJECT, Settings
from core.settings import settings as current_settings
from core.user_errors import UserError
from deployments.automations import apply_automations
from deployments.prefect_login import prefect_client
from deployments.prefect_program import run_prefect, server_is_ready, wait_for
from deployments.queues import Queue, Queues, load_queues
from deployments.rules import load_rules
from deployments.warm_start import start_run

EVERYTHING = "--all"
VERSION = "GROUPER_DEPLOYMENT_VERSION"  # prefect.yaml gives it to every deployment


def apply(settings: Settings, project: Path = PROJECT) -> str:
    """Brings the server at ``settings.api_url`` in line with queues.yaml and ``prefect.yaml``.

    Runs in a process of its own, since Prefect reads its settings once. Returns Prefect's output;
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
        [*apply_command(), EVERYTHING],
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
    """The environment in which the project's flows and ours can be imported."""
    places = [str(project), str(PROJECT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        **settings.environment(),
        "GROUPER_PROJECT": str(project),
        "PYTHONPATH": os.pathsep.join(filter(None, places)),
        VERSION: deployment_version(project),
    }


def deployment_version(project: Path) -> str:
    """A short hash of what deployments are made of: the folder, prefect.yaml and the flows."""
    files = [project / "prefect.yaml", *sorted((project / "flows").glob("*.py"))]
    made_of = hashlib.sha256(str(project).encode())
    for file in files:
        made_of.update(file.read_bytes())
    return made_of.hexdigest()[:12]


def deployment_names(project: Path) -> list[str]:
    """The deployments that prefect.yaml declares."""
    declared = read_document(project / "prefect.yaml").data.get("deployments", [])
    return [deployment["name"] for deployment in declared]


def is_deployed(http: httpx2.Client, names: list[str], version: str) -> bool:
    """Whether the server has each deployment, made from this version of the files."""
    query = {"deployments": {"name": {"any_": names}}}
    deployed = http.post("/deployments/filter", json=query).raise_for_status().json()
    versions = {deployment["name"]: deployment["version"] for deployment in deployed}
    return versions == dict.fromkeys(names, version)


def apply_queues(http: httpx2.Client, queues: Queues) -> None:
    """Creates what is missing and updates what differs."""
    pool = f"/work_pools/{queues.pool}"
    template = job_template()
    response = http.get(pool)
    if response.status_code == httpx2.codes.NOT_FOUND:
        body = {"name": queues.pool, "type": queues.type, "base_job_template": template}
        made = http.post("/work_pools/", json=body)
        if made.status_code != httpx2.codes.CONFLICT:  # a worker was quicker
            made.raise_for_status()
        response = http.get(pool)
    if response.raise_for_status().json()["base_job_template"] != template:
        http.patch(pool, json={"base_job_template": template}).raise_for_status()
    for name, queue in queues.queues.items():
        _apply_queue(http, f"{pool}/queues", name, queue)


def run_command() -> str:
    """What a worker starts for a run: a process that hands itself over to the launcher."""
    return f"{sys.executable} -I -S {start_run.__file__} prefect.engine"


def job_template() -> dict[str, Any]:
    """What a worker starts for every run of the pool: a run can say nothing about it.

    Prefect's own template takes a command, variables of the environment and a folder from whoever
    creates a run. A worker that dies takes the pipe of its runs' output with it; without one they
    finish. Without the command, two more Pythons start before the run's own.
    """
    return {
        "job_configuration": {"command": run_command(), "stream_output": False},
        "variables": {"type": "object", "properties": {}, "additionalProperties": False},
    }


def _apply_queue(http: httpx2.Client, place: str, name: str, queue: Queue) -> None:
    settings = {
        "concurrency_limit": queue.limit,
        "priority": queue.priority,
        "description": queue.description,
    }
    response = http.get(f"{place}/{name}")
    if response.status_code == httpx2.codes.NOT_FOUND:
        http.post(place, json={"name": name, **settings}).raise_for_status()
    elif any(
        response.raise_for_status().json()[field] != value for field, value in settings.items()
    ):
        http.patch(f"{place}/{name}", json=settings).raise_for_status()


def main() -> None:
    """Applies to the server of this process's environment, as soon as it is ready."""
    settings, project = current_settings(), Path.cwd()
    version, names = os.environ[VERSION], deployment_names(project)
    last = settings.home / "prefect" / "deployed-version"
    if not (last.exists() and last.read_text() == version):
        importlib.import_module("prefect.cli.deploy")  # slow: do it while the server starts
    wait_for(lambda: server_is_ready(settings.api_url))
    with prefect_client(settings, seconds=60) as http:
        apply_queues(http, load_queues())
        apply_automations(http, load_rules(), settings)
        as_it_should_be = is_deployed(http, names, version)
    last.parent.mkdir(parents=True, exist_ok=True)
    last.write_text(version)
    if EVERYTHING in sys.argv or not as_it_should_be:
        run_prefect("--no-prompt", "deploy", "--all")


if __name__ == "__main__":
    main()
