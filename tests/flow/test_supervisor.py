"""Everything under one process: what dies comes back, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.settings import Settings
from core.support.processes import free_port
from core.user_errors import UserError
from deployments.children import leftover_processes
from deployments.health_check import answers
from deployments.supervisor import Services
from tests.flow.conftest import Until

SERVICES = ("postgres", "prefect-server", "worker", "relay", "sender", "portal")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_everything_answers(services: Services) -> None:
    assert answers(f"{services.api_url}/ready")
    assert answers(f"{services.portal_url}/healthz")
    with psycopg.connect(services.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    assert all(services.pid(name) for name in SERVICES)


@pytest.mark.parametrize("name", ["relay", "sender", "portal", "worker", "postgres"])
def test_what_is_killed_comes_back(services: Services, name: str, until: Until) -> None:
    before = services.pid(name)
    assert before is not None
    os.kill(before, signal.SIGKILL)
    until(lambda: services.pid(name) not in (None, before))
    if name == "portal":
        until(lambda: answers(f"{services.portal_url}/healthz"))


def test_temporary_files_are_in_the_home(services: Services) -> None:
    environment = Path(f"/proc/{services.pid('worker')}/environ").read_bytes().split(b"\0")
    assert f"TMPDIR={services.settings.home}/tmp".encode() in environment


def test_a_service_can_be_restarted(services: Services) -> None:
    before = services.pid("relay")
    services.restart("relay")
    assert services.pid("relay") not in (None, before)


@pytest.mark.parametrize(
    ("setting", "variable"),
    [("prefect_port", "GROUPER_PREFECT_PORT"), ("portal_port", "GROUPER_PORTAL_PORT")],
)
def test_a_taken_port_is_named_with_its_setting(
    open_folder: Path, setting: str, variable: str
) -> None:
    ports = {"prefect_port": free_port(), "portal_port": free_port()}
    with socket.create_server(("127.0.0.1", ports[setting])):
        services = Services(Settings(home=open_folder / "ports", **ports))
        with pytest.raises(UserError, match=f"port {ports[setting]} is taken.*{variable}"):
            services.start()
    assert leftover_processes(open_folder / "ports") == []


def test_a_second_supervisor_of_the_home_is_refused_and_harms_nothing(services: Services) -> None:
    before = {name: services.pid(name) for name in SERVICES}
    elsewhere = {
        "prefect_port": free_port(),
        "portal_port": free_port(),
        "database_url": services.database_url,
    }
    with pytest.raises(UserError, match="another `grouper up` runs on it"):
        Services(services.settings.model_copy(update=elsewhere)).start()
    assert {name: services.pid(name) for name in SERVICES} == before


class TestCommand:
    """``grouper up`` as a user runs it."""

    @pytest.fixture
    def home(self, open_folder: Path) -> Path:
        return open_folder / "up"

    @pytest.fixture
    def up(self, home: Path) -> Iterator[subprocess.Popen[str]]:
        variables = {
            "GROUPER_HOME": str(home),
            "GROUPER_PREFECT_PORT": str(free_port()),
            "GROUPER_PORTAL_PORT": str(free_port()),
        }
        with subprocess.Popen(
            [sys.executable, "-u", "-m", "cli.main", "up"],
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            yield process
            process.kill()

    def read_to(self, up: subprocess.Popen[str], line: str) -> list[str]:
        assert up.stdout is not None
        said = []
        for found in up.stdout:
            said.append(found.rstrip())
            if found.startswith(line):
                return said
        pytest.fail("\n".join(said))

    @pytest.mark.parametrize(
        "number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM]
    )
    def test_it_prints_its_addresses_and_stops_cleanly(
        self, up: subprocess.Popen[str], home: Path, number: signal.Signals
    ) -> None:
        said = self.read_to(up, "Press Ctrl-C")
        portal = next(line.split()[1] for line in said if line.startswith("Portal"))
        assert answers(f"{portal}/healthz")
        up.send_signal(number)
        assert self.read_to(up, "Stopped")
        assert up.wait(60) == 0
        assert leftover_processes(home) == []
        assert not answers(f"{portal}/healthz")

    def test_ctrl_c_while_it_starts_stops_what_was_started(
        self, up: subprocess.Popen[str], home: Path, until: Until
    ) -> None:
        self.read_to(up, "Starting")
        until(lambda: bool(leftover_processes(home)))
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0
        assert leftover_processes(home) == []

    @pytest.mark.slow
    def test_nothing_survives_a_supervisor_that_is_killed(
        self, up: subprocess.Popen[str], home: Path, until: Until
    ) -> None:
        self.read_to(up, "Press Ctrl-C")
        postmaster = int((home / "postgres/data/postmaster.pid").read_text().split("\n")[0])
        up.kill()
        up.wait()
        until(lambda: not leftover_processes(home) and not alive(postmaster))
