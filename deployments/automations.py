"""The rules on Prefect's own events, as automations on its server.

Each automation calls the portal's hook, which raises one of our events, for which there are other
rules. If an automation's call is lost (the portal was away), the relay's sweep finds the work.
"""

from __future__ import annotations

from typing import Any

import httpx2

from core.settings import Settings
from deployments.queues import load_queues
from deployments.rules import PrefectRule, Rules

PREFIX = "grouper: "
"""Automations of this name are ours; others are left alone."""
HOOK = "grouper-hook"
BLOCK_TYPE = "webhook"

BODY = """\
{"raises": %s, "event": {{ event.event | tojson }}, "event_id": "{{ event.id }}",
 "resource": {{ event.resource.id | tojson }}, "name": {{ event.resource.name | tojson }},
 "run_count": {{ flow_run.run_count | default(none) | tojson }},
 "message": {{ event.payload.validated_state.message | default("", true) | tojson }}}"""
"""What an automation sends to the hook, filled in by Prefect."""


def apply_automations(http: httpx2.Client, rules: Rules, settings: Settings) -> list[str]:
    """Creates missing automations, updates differing ones, removes others of ours; returns the
    changes in words."""
    hook = _apply_hook(http, settings)
    declared_by_name = {
        each["name"]: each for each in (_automation(rule, hook) for rule in rules.prefect)
    }
    done = []
    for existing in _own_automations(http):
        declared = declared_by_name.pop(existing["name"], None)
        if declared is None:
            http.delete(f"/automations/{existing['id']}").raise_for_status()
            done.append(f"removed {existing['name']}")
        elif not _agrees(declared, existing):
            http.put(f"/automations/{existing['id']}", json=declared).raise_for_status()
            done.append(f"set {existing['name']}")
    for name, declared in declared_by_name.items():
        http.post("/automations/", json=declared).raise_for_status()
        done.append(f"made {name}")
    return done


def _automation(rule: PrefectRule, hook: str) -> dict[str, Any]:
    return {
        "name": f"{PREFIX}{rule.name}",
        "description": f"Raises {rule.raises}. Kept by `grouper deploy`: change event_rules.yaml.",
        "enabled": True,
        "trigger": {
            "type": "event",
            "posture": "Reactive",
            **_matching(rule),
            "for_each": ["prefect.resource.id"],
            "expect": sorted(rule.expect),
            "threshold": 1,
            "within": 0.0,
        },
        "actions": [
            {
                "type": "call-webhook",
                "block_document_id": hook,
                "payload": BODY % f'"{rule.raises}"',
            }
        ],
    }


def _matching(rule: PrefectRule) -> dict[str, Any]:
    """The filter for events of our own work pool; a server may be shared."""
    pool = load_queues().pool
    if rule.family == "work-pool":
        return {"match": {"prefect.resource.name": pool}, "match_related": {}}
    return {
        "match": {"prefect.resource.id": f"prefect.{rule.family}.*"},
        "match_related": {
            "prefect.resource.role": "work-pool",
            "prefect.resource.name": pool,
        },
    }


def _own_automations(http: httpx2.Client) -> list[dict[str, Any]]:
    automations: list[dict[str, Any]] = []
    offset = 0
    while page := _page(http, offset):
        automations += [each for each in page if each["name"].startswith(PREFIX)]
        offset += len(page)
    return automations


def _page(http: httpx2.Client, offset: int) -> list[dict[str, Any]]:
    answer = http.post("/automations/filter", json={"offset": offset}).raise_for_status()
    page: list[dict[str, Any]] = answer.json()
    return page


def _agrees(declared: Any, existing: Any) -> bool:
    """Whether the existing automation has all declared values; the server adds other fields."""
    if isinstance(declared, dict):
        return isinstance(existing, dict) and all(
            name in existing and _agrees(value, existing[name]) for name, value in declared.items()
        )
    if isinstance(declared, list) and isinstance(existing, list):
        if all(isinstance(value, str) for value in declared):
            return sorted(declared) == sorted(existing)
        return len(declared) == len(existing) and all(map(_agrees, declared, existing))
    return bool(declared == existing)


def _apply_hook(http: httpx2.Client, settings: Settings) -> str:
    """The id of the block that says where the portal's hook is; it holds no secret."""
    data = {
        "method": "POST",
        "url": settings.prefect_hook,
        "headers": {},  # the server signs on its way out (prefect_server.py)
        "allow_private_urls": True,  # the portal is beside the server, or in the same network
        "verify": True,
    }
    response = http.get(
        f"/block_types/slug/{BLOCK_TYPE}/block_documents/name/{HOOK}",
        params={"include_secrets": True},
    )
    if response.status_code == httpx2.codes.NOT_FOUND:
        return _make_hook(http, data)
    block: dict[str, Any] = response.raise_for_status().json()
    if not _agrees(data, block["data"]):
        body = {"data": data, "merge_existing_data": False}
        http.patch(f"/block_documents/{block['id']}", json=body).raise_for_status()
    return str(block["id"])


def _make_hook(http: httpx2.Client, data: dict[str, Any]) -> str:
    kind = http.get(f"/block_types/slug/{BLOCK_TYPE}").raise_for_status().json()
    query = {"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}}
    [schema, *_] = http.post("/block_schemas/filter", json=query).raise_for_status().json()
    body = {
        "name": HOOK,
        "data": data,
        "block_type_id": kind["id"],
        "block_schema_id": schema["id"],
    }
    made = http.post("/block_documents/", json=body).raise_for_status().json()
    return str(made["id"])
