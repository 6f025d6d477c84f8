"""What Prefect keeps of our work: ids and months, no name of a file and no text of an error."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from core.database import tables
from core.engine.samples.activity import make_activity
from core.engine.samples.writing import write_activity
from core.files.store import open_store
from core.vocabulary.states.submissions import FileState
from deployments.demo import story
from deployments.demo.activity import DemoFile
from deployments.prefect_api import PrefectApi
from deployments.prefect_login import prefect_client
from deployments.queues import Place
from tests.flow.conftest import Until, until
from tests.small_month import PERSON, PROVIDER

if TYPE_CHECKING:
    import httpx2
    from sqlalchemy import Engine

    from deployments.supervisor import Services

__all__ = ["until"]

MONTH = dt.date(2016, 8, 1)
NAMES = ("Zofia Kowalska 1987", "Lost Kowalska 1988")
CHECKS = Place("grouper", "checks")


def upload(engine: Engine, folder: Path, name: str) -> story.Month:
    activity = make_activity(60, PROVIDER, MONTH, seed=len(name))
    path = folder / f"{name}.csv"
    write_activity(activity, path)
    query = sa.select(tables.users.c.id).where(tables.users.c.subject == PERSON)
    with engine.connect() as connection:
        user = connection.execute(query).scalar_one()
    return story.upload(engine, DemoFile(PROVIDER, path, {}, activity), user, month=MONTH)


def lose(engine: Engine, file_id: int) -> None:
    """Removes the bytes of a file, so that its check stops where it should not."""
    with engine.connect() as connection:
        files = tables.files.c
        key = connection.execute(sa.select(files.storage_key).where(files.id == file_id))
        open_store().delete(key.scalar_one())


def everything(http: httpx2.Client) -> str:
    """All that the server gives out of runs, tasks, logs, events and artifacts."""
    kept: list[Any] = [read_all(http, kind) for kind in ("flow_runs", "task_runs", "logs")]
    kept.append(http.post("/artifacts/filter", json={}).raise_for_status().json())
    for kind in ("grouper", "prefect"):
        wanted = {"filter": {"event": {"prefix": [f"{kind}."]}}, "limit": 50}
        answer = http.post("/events/filter", json=wanted).raise_for_status().json()
        kept.append(answer["events"])
        while answer.get("next_page"):
            path = answer["next_page"].partition("/api")[2]
            answer = http.get(path).raise_for_status().json()
            kept.append(answer["events"])
    return json.dumps(kept, ensure_ascii=False)


def read_all(http: httpx2.Client, kind: str) -> list[Any]:
    found: list[Any] = []
    while page := http.post(f"/{kind}/filter", json={"offset": len(found)}).json():
        found += page
    return found


def test_no_name_of_a_file_is_in_runs_logs_events_or_artifacts(
    services: Services, populated: Engine, tmp_path: Path, until: Until
) -> None:
    with PrefectApi(services.settings) as api:
        api.pause_queue(CHECKS, paused=True)
        try:
            good, lost = (upload(populated, tmp_path, name) for name in NAMES)
            lose(populated, lost.file_id)
        finally:
            api.pause_queue(CHECKS, paused=False)
    story.wait_for_check(populated, good)
    files = tables.files.c

    def stopped() -> bool:
        query = sa.select(files.state).where(files.id == lost.file_id)
        with populated.connect() as connection:
            return connection.execute(query).scalar_one() == FileState.REJECTED

    until(stopped)
    mark = f"file {good.file_id} of ZX1 2016-08"

    with prefect_client(services.settings) as http:
        until(lambda: mark in everything(http))
        kept = everything(http)
    assert f"check file {lost.file_id} of ZX1 2016-08" in kept
    for name in NAMES:
        assert name not in kept
