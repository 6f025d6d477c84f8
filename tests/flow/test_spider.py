"""The spider as a person starts it: command, event, queue, flow, and the register in the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import sqlalchemy as sa

from core.access.scope import EVERYTHING
from core.areas.register_store import rows_in_use
from core.database import tables
from core.engine.areas.finding import Areas
from core.events.failures import discard, list_failures
from tests.area_source import AreaServer, area_server
from tests.flow.conftest import Until

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services

LONDON, HACKNEY = "E12000007", "E09000012"
BOROUGHS = 33


@pytest.fixture(scope="module")
def server(services: Services) -> Iterator[AreaServer]:
    with area_server("--seed", "5", "--troubles", "0.3") as running:
        assert services.settings.area_sources is not None
        running.write_sources(services.settings.area_sources, page=100)
        yield running


def grouper(services: Services, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the document on stdout, and what was said on stderr."""
    environment = services.settings.environment()
    environment.pop("GROUPER_DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments, "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **environment},
    )
    return done.returncode, json.loads(done.stdout), done.stderr


def test_a_region_is_crawled_with_all_that_goes_wrong(
    services: Services, populated: Engine, server: AreaServer
) -> None:
    server.change({"E01999999": ["Hackney 099Z", HACKNEY], HACKNEY: ["Greater Hackney", LONDON]})
    code, crawl, _ = grouper(services, "spider", "areas", "--within", LONDON)
    report = server.report()
    within = {LONDON, *(each["parent"] for each in report["log"])}
    cycles = len(within & set(report["cycles"]))
    assert crawl["summary"] == {
        "new": 1,
        "changed": 1,
        "retired": 0,
        "unchanged": 4994 + BOROUGHS - 1,
        "failed": cycles,
        "held": 0,
    }
    assert code == (1 if cycles else 0)
    levels = {level["kind"]: level for level in crawl["levels"]}
    assert levels["region"]["children"] == levels["London borough"]["answered"] == BOROUGHS
    assert levels["London borough"]["children"] == 4995
    assert any(each["outcome"] not in ("200", "304") for each in report["log"])
    answered = Counter(each["address"] for each in report["log"] if each["outcome"] == "200")
    assert set(answered.values()) == {1}
    assert report["most_at_once"] <= 8
    with populated.begin() as connection:
        hackney = Areas(rows_in_use(connection)).area(HACKNEY)
        assert hackney.place.name == "Greater Hackney"
        assert "E01999999" in {each.code for each in hackney.children}
        for failure in list_failures(connection, EVERYTHING):
            if failure.kind == "area":
                discard(connection, failure.reference)


def test_the_crawl_is_a_run_on_its_queue(
    services: Services, populated: Engine, server: AreaServer, http: httpx2.Client
) -> None:
    with populated.connect() as connection:
        runs = tables.spider_runs
        flow_run = connection.execute(
            sa.select(runs.c.flow_run).order_by(runs.c.id.desc()).limit(1)
        ).scalar_one()
    found = http.get(f"/flow_runs/{flow_run}").json()
    assert (found["work_queue_name"], found["state_type"]) == ("spiders", "COMPLETED")
    assert found["name"] == "areas of London (E12000007)"


def test_the_last_crawl_is_shown(services: Services, server: AreaServer) -> None:
    code, crawl, _ = grouper(services, "spider", "show")
    assert (code, crawl["within"]) == (0, LONDON)
    code, found, _ = grouper(services, "areas", "find", HACKNEY, "--on", "2017-04-01")
    assert (code, found["area"]["name"]) == (0, "Greater Hackney")
    assert found["area"]["within"][0]["name"] == "London"


@pytest.mark.slow
def test_a_source_that_is_away_stops_the_crawl(
    services: Services, populated: Engine, server: AreaServer
) -> None:
    server.trouble("never E09")
    code, crawl, _ = grouper(services, "spider", "areas", "--within", LONDON)
    server.trouble(None)
    assert (code, crawl["state"]) == (1, "failed")
    assert "does not answer any more" in crawl["failure"]
    [level] = [each for each in crawl["levels"] if each["kind"] == "London borough"]
    assert 8 <= level["failed"] < BOROUGHS
    with populated.begin() as connection:
        for failure in list_failures(connection, EVERYTHING):
            if failure.kind in ("area", "spider"):
                discard(connection, failure.reference)


@pytest.mark.slow
def test_a_crawl_is_planned_each_month(
    services: Services, populated: Engine, server: AreaServer, http: httpx2.Client, until: Until
) -> None:
    deployment = http.get("/deployments/name/plan-spider/plan-spider").raise_for_status().json()
    assert [each["schedule"]["cron"] for each in deployment["schedules"]] == ["15 3 2 * *"]
    before = crawls(populated)
    server.change({"E92000001": None, "W92000004": None})  # held at once: a short crawl
    made = http.post(
        f"/deployments/{deployment['id']}/create_flow_run", json={"state": {"type": "SCHEDULED"}}
    )
    made.raise_for_status()
    until(lambda: crawls(populated) == before + 1)
    until(lambda: state_of_last(populated) == "complete with errors")


def crawls(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(
            connection.execute(
                sa.select(sa.func.count()).select_from(tables.spider_runs)
            ).scalar_one()
        )


def state_of_last(engine: Engine) -> str:
    runs = tables.spider_runs.c
    with engine.connect() as connection:
        return str(
            connection.execute(sa.select(runs.state).order_by(runs.id.desc()).limit(1)).scalar_one()
        )
