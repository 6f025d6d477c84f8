"""Registering with Prefect: everything is there, and a second time changes nothing."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from core.settings import Settings
from core.support.processes import free_port
from core.user_errors import UserError
from deployments.apply import apply, run_command
from deployments.queues import load_queues
from deployments.supervisor import Services
from tests.flow.conftest import Until

# They change by themselves.
SEEN = {"created", "updated", "last_polled", "status", "last_deployed", "active_slots"}


def registered(http: httpx2.Client) -> dict[tuple[str, str, str], Any]:
    """Pool, queues and deployments as the server has them: by kind, name and field."""
    found = {
        "pool": [http.get("/work_pools/grouper").json()],
        "queues": http.post("/work_pools/grouper/queues/filter", json={}).json(),
        "deployments": http.post("/deployments/filter", json={}).json(),
    }
    for deployment in found["deployments"]:  # the rows of schedules are written anew
        deployment["schedules"] = [each["schedule"] for each in deployment["schedules"]]
    return {
        (kind, item["name"], field): value
        for kind, items in found.items()
        for item in items
        for field, value in item.items()
        if field not in SEEN
    }


def differences(
    before: dict[tuple[str, str, str], Any], after: dict[tuple[str, str, str], Any]
) -> dict[tuple[str, str, str], tuple[Any, Any]]:
    """What is not the same in both, as it was and as it is."""
    fields = sorted(before.keys() | after.keys())
    return {
        each: (before.get(each), after.get(each))
        for each in fields
        if before.get(each) != after.get(each)
    }


def test_queues_and_deployments_are_as_the_files_say(
    services: Services, http: httpx2.Client
) -> None:
    there = registered(http)
    for name, wanted in load_queues().queues.items():
        assert there["queues", name, "concurrency_limit"] == wanted.limit
        assert there["queues", name, "priority"] == wanted.priority
    for name, queue in (
        ("check-file", "checks"),
        ("submit", "submissions"),
        ("collate-report", "reports"),
        ("deadline-digest", "housekeeping"),
    ):
        found = http.get(f"/deployments/name/{name}/{name}").json()
        assert found["work_queue_name"] == queue
        assert not found["job_variables"]
        [pull] = found["pull_steps"]
        assert pull["prefect.deployments.steps.set_working_directory"] == {
            "directory": str(services.project)
        }


def test_a_run_is_started_by_the_pool_alone(services: Services, http: httpx2.Client) -> None:
    template = http.get("/work_pools/grouper").json()["base_job_template"]
    job = {"stream_output": False, "command": run_command()}
    assert template["job_configuration"] == job
    http.patch("/work_pools/grouper", json={"base_job_template": {}}).raise_for_status()
    apply(services.settings)
    assert http.get("/work_pools/grouper").json()["base_job_template"] == template


def test_a_second_time_changes_nothing(services: Services, http: httpx2.Client) -> None:
    before = registered(http)
    apply(services.settings)
    assert differences(before, registered(http)) == {}


def test_what_an_operator_changed_is_put_back(services: Services, http: httpx2.Client) -> None:
    before = registered(http)
    changed = {"concurrency_limit": 99}
    http.patch("/work_pools/grouper/queues/checks", json=changed).raise_for_status()
    assert differences(before, registered(http)) == {
        ("queues", "checks", "concurrency_limit"): (2, 99)
    }
    apply(services.settings)
    assert differences(before, registered(http)) == {}


def test_without_a_server_it_says_what_to_do(services: Services) -> None:
    away = Settings(home=services.settings.home, prefect_port=free_port())
    with pytest.raises(UserError, match="start it with `grouper up`"):
        apply(away)


def test_the_schedule_of_a_deployment_makes_runs(
    services: Services, http: httpx2.Client, until: Until
) -> None:
    """Under SQLAlchemy 2.1 the server's scheduler failed, in its log alone (decisions/0008)."""
    digest = http.get("/deployments/name/deadline-digest/deadline-digest").json()["id"]
    scheduled = {
        "deployments": {"id": {"any_": [digest]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    until(lambda: bool(http.post("/flow_runs/filter", json=scheduled).json()))
