"""Rules on Prefect's own events: automations as the file says, and what they tell of arrives."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx2
import sqlalchemy as sa

from core.database.tables import events, log_posts
from core.settings import Settings
from deployments.automations import PREFIX, apply_automations
from deployments.rules import Rules, load_rules
from tests.flow.conftest import Until

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services


def automations(http: httpx2.Client) -> dict[str, dict[str, Any]]:
    found = http.post("/automations/filter", json={}).raise_for_status().json()
    return {each["name"]: each for each in found}


def names(rules: Rules) -> set[str]:
    return {f"{PREFIX}{rule.name}" for rule in rules.prefect}


def applied(http: httpx2.Client, settings: Settings, rules: Rules | None = None) -> list[str]:
    return apply_automations(http, rules or load_rules(), settings)


def test_a_start_leaves_them_as_the_file_says_and_a_second_time_changes_nothing(
    services: Services, http: httpx2.Client
) -> None:
    before = automations(http)
    assert names(load_rules()) <= set(before)
    assert applied(http, services.settings) == []
    assert automations(http) == before


def test_what_somebody_changed_is_put_back(services: Services, http: httpx2.Client) -> None:
    name = f"{PREFIX}stopped-runs"
    number = automations(http)[name]["id"]
    http.patch(f"/automations/{number}", json={"enabled": False}).raise_for_status()
    assert applied(http, services.settings) == [f"set {name}"]
    assert automations(http)[name]["enabled"]


def test_without_its_rule_one_is_removed_and_those_of_others_stay(
    services: Services, http: httpx2.Client
) -> None:
    event = {"type": "event", "posture": "Reactive", "threshold": 1, "within": 0}
    of_others = {
        "name": f"theirs {uuid4()}",
        "trigger": {**event, "expect": ["nothing.of.the.kind"]},
        "actions": [{"type": "do-nothing"}],
    }
    http.post("/automations/", json=of_others).raise_for_status()
    shorter = load_rules().model_copy(update={"prefect": load_rules().prefect[1:]})
    try:
        assert applied(http, services.settings, shorter) == [f"removed {PREFIX}stopped-runs"]
        assert of_others["name"] in automations(http)
    finally:
        assert applied(http, services.settings) == [f"made {PREFIX}stopped-runs"]


def test_another_address_of_the_portal_is_told(services: Services, http: httpx2.Client) -> None:
    place = "/block_types/slug/webhook/block_documents/name/grouper-hook"
    moved = services.settings.model_copy(update={"hook_url": "https://portal.example"})
    try:
        assert applied(http, moved) == []
        block = http.get(place, params={"include_secrets": True}).json()
        assert block["data"]["url"] == "https://portal.example/hooks/prefect"
    finally:
        applied(http, services.settings)


def planned_run(http: httpx2.Client, probe: str) -> str:
    """A run that waits for tomorrow, so that no worker takes it."""
    deployment = http.get(f"/deployments/name/{probe}").json()["id"]
    tomorrow = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).isoformat()
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": tomorrow}}
    body = {"state": state, "name": "told", "parameters": {"file_id": 1, "folder": "/nowhere"}}
    made = http.post(f"/deployments/{deployment}/create_flow_run", json=body)
    return str(made.raise_for_status().json()["id"])


def test_a_run_that_crashed_is_told_to_operators_once(
    services: Services, populated: Engine, http: httpx2.Client, probe: str, until: Until
) -> None:
    run = planned_run(http, probe)
    for message in ("its process is gone", "told again by the worker"):
        state = {"type": "CRASHED", "message": message}
        http.post(f"/flow_runs/{run}/set_state", json={"state": state, "force": True})

    def posts() -> list[str]:
        wanted = sa.select(log_posts.c.text).where(
            log_posts.c.log_group == "operations", log_posts.c.subject == f"flow-run/{run}"
        )
        with populated.connect() as connection:
            return list(connection.execute(wanted).scalars())

    until(lambda: bool(posts()))
    later = planned_run(http, probe)  # automations are carried out in turn
    http.post(f"/flow_runs/{later}/set_state", json={"state": {"type": "FAILED"}, "force": True})
    until(lambda: f"flow-run/{later}" in subjects(populated))
    assert posts() == ["flow-run.stopped: told: its process is gone"]


def subjects(populated: Engine) -> set[str]:
    with populated.connect() as connection:
        wanted = sa.select(events.c.subject).where(events.c.name == "flow-run.stopped")
        return set(connection.execute(wanted).scalars())
