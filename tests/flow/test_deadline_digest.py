"""The digest of deadlines as Prefect runs it: event, rule and notification, twice without harm."""

from __future__ import annotations

from typing import Any

import httpx2
from sqlalchemy import Engine, select

from core.database.tables import notifications, users
from tests.flow.conftest import Until

DAY = "2017-05-20"  # April is due the day after


def run(http: httpx2.Client, until: Until) -> dict[str, Any]:
    """Runs the deployment for the day, to its end."""
    deployment = http.get("/deployments/name/deadline-digest/deadline-digest").json()
    asked = {"parameters": {"day": DAY}, "state": {"type": "SCHEDULED"}}
    made = http.post(f"/deployments/{deployment['id']}/create_flow_run", json=asked).json()
    place = f"/flow_runs/{made['id']}"
    until(lambda: http.get(place).json()["state_type"] in ("COMPLETED", "FAILED", "CRASHED"))
    ended: dict[str, Any] = http.get(place).json()
    return ended


def digests(populated: Engine) -> list[tuple[str, str]]:
    query = (
        select(users.c.subject, notifications.c.title)
        .join(users, users.c.id == notifications.c.user_id)
        .where(notifications.c.topic == "deadlines", notifications.c.title.like("%due tomorrow"))
        .order_by(users.c.subject)
    )
    with populated.connect() as connection:
        return [(subject, title) for subject, title in connection.execute(query)]


def test_people_are_reminded_once(http: httpx2.Client, populated: Engine, until: Until) -> None:
    assert run(http, until)["state_type"] == "COMPLETED"
    until(lambda: len(digests(populated)) > 0)
    first = digests(populated)
    assert run(http, until)["state_type"] == "COMPLETED"
    assert digests(populated) == first
    assert ("ben@zx2.example", "April 2017 is due tomorrow") in first
    assert len(first) == len({person for person, _ in first})
