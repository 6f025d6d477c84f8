"""The embedded server's life: start, stop, kill, and who may run it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.database.embedded import EmbeddedPostgres, attach
from core.user_errors import UserError


@pytest.fixture(scope="module")
def home(open_folder: Path) -> Path:
    return open_folder / "embedded"


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(home) as running:
        with psycopg.connect(running.url()) as connection:
            connection.execute("DROP TABLE IF EXISTS kept")
        yield running


def rows(url: str) -> list[tuple[int]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT number FROM kept ORDER BY number").fetchall()


def keep(url: str, number: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [number])


def test_data_port_and_password_stay_when_it_starts_again(server: EmbeddedPostgres) -> None:
    keep(server.url(), 1)
    before = server.url()
    server.stop()
    assert server.start() == before
    assert rows(before) == [(1,)]


def test_both_databases_are_there_and_their_owner_is_no_superuser(server: EmbeddedPostgres) -> None:
    for database in ("grouper", "prefect"):
        with psycopg.connect(server.url(database)) as connection:
            asked = connection.execute("SELECT current_database(), usesuper FROM pg_user u "
                                       "WHERE u.usename = current_user")  # fmt: skip
            assert asked.fetchone() == (database, False)


def test_another_process_attaches_to_the_running_server(
    server: EmbeddedPostgres, home: Path
) -> None:
    keep(attach(home), 7)
    assert rows(server.url()) == [(7,)]


def test_attaching_where_nothing_runs_says_how_to_start_it(home: Path) -> None:
    with pytest.raises(UserError, match="start it with `grouper up`"):
        attach(home)


def test_a_killed_server_comes_back_with_every_committed_row(server: EmbeddedPostgres) -> None:
    keep(server.url(), 1)
    unfinished = psycopg.connect(server.url())
    unfinished.execute("INSERT INTO kept VALUES (2)")
    assert server.pid is not None
    assert server.process is not None
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()
    server.stop()
    server.start()
    unfinished.close()
    assert rows(server.url()) == [(1,)]


def test_a_second_supervisor_is_refused(server: EmbeddedPostgres, home: Path) -> None:
    with pytest.raises(UserError, match="another `grouper up` runs on it"):
        EmbeddedPostgres(home).start()
    keep(server.url(), 1)


def test_it_ends_with_a_supervisor_that_was_killed(home: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from core.database.embedded import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1])); server.start()\n"
        "print(server.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        postmaster = int(supervisor.stdout.readline())
        supervisor.kill()
    with EmbeddedPostgres(home) as successor:  # waits for the other one to be gone
        keep(successor.url(), 1)
        assert successor.pid != postmaster
    assert "shutting down" in (home / "logs" / "postgres.log").read_text()


def test_data_of_another_major_version_are_refused(server: EmbeddedPostgres, home: Path) -> None:
    server.stop()
    version = home / "postgres" / "data" / "PG_VERSION"
    version.write_text("17\n")
    try:
        with pytest.raises(UserError, match="made by PostgreSQL 17, and this is 18"):
            EmbeddedPostgres(home).start()
    finally:
        version.write_text("18\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for the database")
class TestAsRoot:
    def test_the_server_runs_as_nobody(self, server: EmbeddedPostgres) -> None:
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert "\nUid:\t65534" in status

    def test_a_home_closed_to_nobody_is_refused_with_what_to_do(self, tmp_path: Path) -> None:
        assert not tmp_path.parent.parent.stat().st_mode & 0o001
        with pytest.raises(UserError, match=r"closed to the user `nobody`.*GROUPER_HOME"):
            EmbeddedPostgres(tmp_path / "home").start()

    def test_programs_in_a_closed_place_are_copied_into_the_home(
        self, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from core.database import binaries, embedded

        closed = binaries.copy_binaries(binaries.find_binaries(), tmp_path)
        monkeypatch.setattr(embedded, "find_binaries", lambda: closed)
        with EmbeddedPostgres(home) as server:
            keep(server.url(), 1)
            assert server.bin.is_relative_to(home)
