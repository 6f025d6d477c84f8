"""A crawl that is killed again and again ends as one that was left in peace."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from core.access.scope import EVERYTHING
from core.areas.crawls import request_crawl
from core.areas.progress import progress_of
from core.areas.register_store import fill_register
from core.areas.sources import load_sources
from core.database import tables
from core.engine.areas.compact import read_shipped
from core.settings import PROJECT
from core.support.processes import start_child
from core.vocabulary.states.areas import SpiderState
from tests.area_source import AreaServer, area_server
from tests.service.areas.crawling import (
    empty_but_for_the_root,
    in_force,
    nothing_written,
    plan,
    today,
)

if TYPE_CHECKING:
    from deployments.supervisor import Services

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

KILLS = 10
QUESTIONS = 1 + 2 + 9 + 21 + 318
CRAWL = (
    "import sys; from flows.spider_areas import spider_areas; print(spider_areas(int(sys.argv[1])))"
)


@pytest.fixture(scope="module")
def server(services: Services) -> Iterator[AreaServer]:
    with area_server("--seed", "8", "--troubles", "0.1") as running:
        assert services.settings.area_sources is not None
        running.write_sources(services.settings.area_sources)
        yield running


@pytest.fixture
def engine(populated: Engine) -> Iterator[Engine]:
    """The services' database, whose register is put back afterwards."""
    yield populated
    with populated.begin() as connection:
        fill_register(connection, read_shipped(), version=0)


def start(services: Services, run_id: int) -> subprocess.Popen[bytes]:
    """The flow in a process of its own, under the services' Prefect server."""
    return start_child(
        [sys.executable, "-c", CRAWL, str(run_id)],
        death_signal=signal.SIGKILL,
        cwd=PROJECT,
        env={**os.environ, **services.settings.environment()},
    )


def planned(engine: Engine, services: Services) -> int:
    """A crawl that no rule of the relay starts: the test does."""
    source = load_sources(services.settings.area_sources)["statistics"]
    with engine.begin() as connection:
        run_id = request_crawl(connection, source, within=None, user_id=None)
        asked = tables.events.c.subject == f"spider/{run_id}"
        connection.execute(tables.events.delete().where(asked))
    return run_id


def answered(engine: Engine, run_id: int) -> int:
    with engine.connect() as connection:
        return progress_of(connection, EVERYTHING, run_id).answered


def wait_for(process: subprocess.Popen[bytes], engine: Engine, run_id: int, more: int) -> None:
    """Until so many more questions are answered, or the crawl is over."""
    target = answered(engine, run_id) + more
    deadline = time.monotonic() + 120
    while process.poll() is None and answered(engine, run_id) < target:
        assert time.monotonic() < deadline, "the crawl does not go on"
        time.sleep(0.02)


def ended(engine: Engine, run_id: int) -> dict[str, Any]:
    with engine.connect() as connection:
        progress = progress_of(connection, EVERYTHING, run_id)
    assert progress.state in (SpiderState.COMPLETE, SpiderState.INCOMPLETE)
    assert progress.summary is not None
    return progress.summary


def requests(server: AreaServer) -> Counter[str]:
    log = server.report()["log"]
    return Counter(each["address"] for each in log if each["outcome"] in ("200", "304"))


def in_england_and_wales(code: str) -> bool:
    return code[0] in "EW" or code in ("K02000001", "K04000001")


def test_ten_kills_change_nothing(services: Services, engine: Engine, server: AreaServer) -> None:
    dice = random.Random(7)
    empty_but_for_the_root(engine)
    run_id = planned(engine, services)
    kills = 0
    for _ in range(KILLS):
        process = start(services, run_id)
        wait_for(process, engine, run_id, dice.randint(1, 2 * QUESTIONS // KILLS // 2))
        if process.poll() is None:
            process.kill()
            kills += 1
        process.wait()
    assert kills >= KILLS // 2
    assert start(services, run_id).wait(300) == 0
    summary = ended(engine, run_id)
    report = server.report()
    assert summary["failed"] == len(report["cycles"])
    assert summary["held"] == summary["retired"] == 0
    asked = requests(server)
    assert sum(asked.values()) - len(asked) <= kills * 8  # what was under way when it was killed
    shipped = {
        code: row for code, row in in_force(read_shipped()).items() if in_england_and_wales(code)
    }
    assert today(engine) == shipped
    assert sum(code[1:3] == "01" for code in shipped) == 35_672


def test_the_whole_crawl_is_quick_and_the_next_writes_nothing(
    services: Services, engine: Engine, server: AreaServer
) -> None:
    empty_but_for_the_root(engine)
    server.forget()
    run_id = planned(engine, services)
    began = time.monotonic()
    assert start(services, run_id).wait(300) == 0
    seconds = time.monotonic() - began
    print(f"the whole crawl took {seconds:.1f} s")
    assert seconds < 180
    assert set(requests(server).values()) == {1}
    server.forget()
    again = planned(engine, services)
    with nothing_written(engine):
        assert start(services, again).wait(300) == 0
    assert ended(engine, again)["unchanged"] == ended(engine, run_id)["new"]
    with engine.connect() as connection:
        kept = connection.execute(sa.select(sa.func.count()).select_from(tables.area_answers))
        assert 300 < kept.scalar_one() <= len(requests(server))  # a slow answer has no ETag


def test_the_sweep_takes_a_crawl_up_whose_run_is_gone(
    services: Services, engine: Engine, server: AreaServer
) -> None:
    """Nobody starts it by hand: a run that is killed leaves it orphaned, and another follows."""
    source = load_sources(services.settings.area_sources)["statistics"]
    server.restore()
    run_id = plan(engine, source, "E12000007")
    deadline = time.monotonic() + 120
    while not answered(engine, run_id):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    kill_flow_of(engine, run_id)
    while True:
        with engine.connect() as connection:
            progress = progress_of(connection, EVERYTHING, run_id)
        if not progress.moving:
            break
        assert time.monotonic() < deadline + 120
        time.sleep(0.2)
    assert progress.summary is not None


def kill_flow_of(engine: Engine, run_id: int) -> None:
    """Kills the process that holds the lock of the crawl."""
    query = sa.text(
        "SELECT client_port FROM pg_stat_activity WHERE application_name = :name"
    ).bindparams(name=f"grouper spider/{run_id}")
    with engine.connect() as connection:
        port = connection.execute(query).scalar()
    for pid in pids_connected_from(port) if port else []:
        os.kill(pid, signal.SIGKILL)


def pids_connected_from(port: int) -> list[int]:
    """Our processes that hold a connection from a local port."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    wanted_port = f":{port:04X}"
    inodes = {each.split()[9] for each in lines if each.split()[1].endswith(wanted_port)}
    found = []
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            links = [str(each.readlink()) for each in folder.iterdir()]
        except OSError:
            continue
        if any(link == f"socket:[{inode}]" for link in links for inode in inodes):
            found.append(int(folder.parent.name))
    return found
