"""A trivial flow, deployed to the real server that the session's services run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from deployments.prefect_api import PrefectApi
from deployments.prefect_login import prefect_client

if TYPE_CHECKING:
    from deployments.supervisor import Services

PROBE_PROJECT = Path(__file__).with_name("probe_project")


@pytest.fixture(scope="session")
def http(services: Services) -> Iterator[httpx2.Client]:
    """Prefect's API, to ask and to set as an operator would."""
    with prefect_client(services.settings) as client:
        yield client


@pytest.fixture(scope="session")
def probe(services: Services, http: httpx2.Client) -> str:
    """The deployment that a worker carries out."""
    from deployments.apply import apply

    http.post("/work_pools/", json={"name": "idle", "type": "process"}).raise_for_status()
    apply(services.settings, PROBE_PROJECT)
    return "probe/probe"


@pytest.fixture
def api(services: Services) -> Iterator[PrefectApi]:
    with PrefectApi(services.settings) as api:
        yield api


@pytest.fixture
def no_such_server() -> Iterator[PrefectApi]:
    """Where nothing listens."""
    from core.settings import Settings
    from core.support.processes import free_port

    with PrefectApi(Settings(prefect_api_url=f"http://127.0.0.1:{free_port()}/api")) as api:
        yield api


Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def until() -> Until:
    """Waits for a condition, a minute at most."""
    import time

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, "it did not happen within a minute"
            time.sleep(0.1)

    return wait
