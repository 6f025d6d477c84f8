"""Everything on one machine under one process: database, Prefect, workers, relay, sender, portal.

The children die with this process, also when it is killed; a child that dies is started again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any

import httpx2

from core.database.embedded import EmbeddedPostgres
from core.database.engine import plain_url, with_database, with_driver
from core.database.migrate import migrate
from core.database.preparing import ensure_database
from core.database.roles import open_roles, role_url
from core.settings import PROJECT, Settings, reachable
from core.support.processes import hold_folder, port_is_free
from core.user_errors import UserError
from deployments.apply import apply_command, apply_environment
from deployments.children import Child, end_leftovers, mark
from deployments.health_check import answers, client
from deployments.prefect_login import PrefectLogin
from deployments.prefect_program import server_is_ready
from deployments.queues import load_queues
from deployments.rules import load_rules
from deployments.secret_rotation import stamps
from deployments.warm_start.start_run import SOCKET

log = logging.getLogger("grouper.up")

START_SECONDS = 180.0
WATCH_SECONDS = 0.25
SERVER, RELAY, PORTAL, WORKER, DEPLOY = "prefect-server", "relay", "portal", "worker", "deploy"
SENDER, LAUNCHER = "sender", "launcher"


class Services(AbstractContextManager["Services"]):
    """All services of one home. ``with Services(settings) as services`` runs them for a while.

    Make it in the main thread: children end with the thread that starts them.
    """

    def __init__(self, settings: Settings, project: Path = PROJECT) -> None:
        self.settings = settings
        self.project = project
        self.children: dict[str, Child] = {}
        self.postgres: EmbeddedPostgres | None = None
        self.database_url = ""
        self._lock = threading.RLock()
        self._asked = threading.Event()
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None
        self._held: IO[str] | None = None
        self._database_lost = False  # it ended, and could not be started again yet
        self._secrets: dict[str, int] = {}  # when each was changed that the children have

    @property
    def api_url(self) -> str:
        return self.settings.api_url

    @property
    def portal_url(self) -> str:
        return self.settings.portal_url

    def start(self) -> None:
        """Starts everything and returns when all of it answers; raises ``UserError``."""
        # First of all: without the lock, another process uses this home.
        self._held = hold_folder(self.settings.home)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops everything, what depends on others first; nothing is left behind."""
        if self._held is None:
            return
        self._asked.set()
        self._stopping.set()
        with self._lock:
            for names in ((RELAY, SENDER, PORTAL, DEPLOY, *self._workers()), (LAUNCHER, SERVER)):
                stopped = [self.children[name] for name in names if name in self.children]
                for child in stopped:
                    child.request_stop()
                for child in stopped:
                    child.stop()
            self.children.clear()
            end_leftovers(self.settings.home)
            if self.postgres is not None:
                self.postgres.stop()
                self.postgres = None
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None
        self._asked.clear()
        self._held.close()
        self._held = None

    def __enter__(self) -> Services:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait(self) -> None:
        """Waits until a stop is requested."""
        self._asked.wait()

    def request_stop(self) -> None:
        """Ends ``wait``, and a start that is under way; for handlers of signals."""
        self._asked.set()

    def pid(self, name: str) -> int | None:
        """The process of a service: postgres, prefect-server, worker (worker-2 …), relay, sender,
        portal; None while it is down."""
        with self._lock:
            if name == "postgres":
                return self.postgres.pid if self.postgres else None
            return self.children[name].pid

    def restart(self, name: str) -> None:
        """Stops a service in an orderly way, and starts it again."""
        with self._lock:
            self.halt(name)
            self.resume(name)

    def halt(self, name: str) -> None:
        """Stops a service for good, until it is resumed."""
        with self._lock:
            if name == "postgres" and self.postgres:
                self.postgres.stop()
            else:
                self.children[name].stop()

    def resume(self, name: str) -> None:
        """Starts a service that was halted; waits for the server until it answers."""
        with self._lock:
            if name == "postgres" and self.postgres:
                self.postgres.start()
                return
            self.children[name].start()
        if name == SERVER:
            self._wait(SERVER, partial(server_is_ready, self.api_url))

    def _start(self) -> None:
        load_rules()
        load_queues()
        self._stopping.clear()
        began = datetime.now(UTC)
        self._close_folders()
        self._start_database()
        end_leftovers(self.settings.home)
        self._clear_scratch()
        self._refuse_taken_ports()
        if self.settings.prefect_api_url is None:
            self._run(SERVER, *_python("deployments.prefect_server"), **self._server_environment())
        # These import what they need while the server starts.
        self._run(LAUNCHER, *_python("deployments.warm_start.launcher"))
        self._run_deploy()
        for name in self._workers():
            self._run(name, *_python("deployments.prefect_program", "worker", name))
        migrate(self.database_url, settings=self.settings)
        open_roles(self.database_url, self.settings)
        self._secrets = stamps(self.settings)
        self._run(PORTAL, *_python("portal.serve"), **self._portal_environment())
        self._wait_for_deploy()
        self._run(RELAY, *_python("deployments.relay_process", began.isoformat()))
        self._run(SENDER, *_python("deployments.sender_process"))
        self._wait(PORTAL, self._portal_answers)
        for name in self._workers():
            self._wait(name, partial(self._worker_is_online, name, began))
        self._watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)
        self._watcher.start()

    def _close_folders(self) -> None:
        """Logs, files and settings are for the user of the service alone. Where root starts it, the
        database's own user walks through the home, and sees nothing else there."""
        home = self.settings.home
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for name in ("logs", "files", "prefect", "run"):
            (home / name).mkdir(mode=0o700, exist_ok=True)
            (home / name).chmod(0o700)

    @property
    def _scratch(self) -> Path:
        return self.settings.home / "tmp"

    def _clear_scratch(self) -> None:
        """Temporary files of processes that were killed would otherwise stay for ever."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(mode=0o700)

    def _start_database(self) -> None:
        if self.settings.database_url is None:
            self.postgres = EmbeddedPostgres(self.settings.home)
            self.database_url = self.postgres.start()
        else:
            self.database_url = plain_url(self.settings.database_url)
        if self.settings.prefect_database_url is None and self.postgres is None:
            ensure_database(self.database_url, "prefect")

    def _refuse_taken_ports(self) -> None:
        here = self.settings
        taken = {
            "GROUPER_PORTAL_PORT": (here.host, here.portal_port),
            "GROUPER_PREFECT_PORT": (here.prefect_host, here.prefect_port),
        }
        if here.prefect_api_url is not None:
            del taken["GROUPER_PREFECT_PORT"]
        for variable, (host, port) in taken.items():
            if not port_is_free(host, port):
                raise UserError(
                    f"port {port} is taken by another program: stop it, or set {variable} to "
                    "another port"
                )

    def _workers(self) -> list[str]:
        numbers = range(1, self.settings.workers + 1)
        return [WORKER if number == 1 else f"{WORKER}-{number}" for number in numbers]

    def _server_environment(self) -> dict[str, str]:
        url = self.settings.prefect_database_url or (
            self.postgres.url("prefect")
            if self.postgres
            else with_database(self.database_url, "prefect")
        )
        return {"PREFECT_SERVER_DATABASE_CONNECTION_URL": with_driver(url, "postgresql+asyncpg")}

    def _portal_environment(self) -> dict[str, str]:
        return {"GROUPER_DATABASE_URL": role_url(self.database_url, "app", self.settings)}

    def _run(self, name: str, *command: str, **environment: str) -> None:
        shared = apply_environment(self.settings, self.project)
        child = Child(
            name=name,
            command=command,
            environment={
                **shared,
                **mark(self.settings.home),
                "GROUPER_DATABASE_URL": self.database_url,
                "PYTHONUNBUFFERED": "1",
                SOCKET: str(self.settings.home / "run" / "launcher.sock"),
                "TMPDIR": str(self._scratch),
                **environment,
            },
            folder=self.project,
            log=self.settings.logs / f"{name}.log",
        )
        child.start()
        self.children[name] = child

    def _run_deploy(self) -> None:
        self._run(DEPLOY, *apply_command())

    def _wait_for_deploy(self) -> None:
        self._wait(DEPLOY, lambda: self.children[DEPLOY].died, may_end=True)
        deploy = self.children.pop(DEPLOY)
        if deploy.process is None or deploy.process.returncode:
            raise UserError(
                f"Prefect refused the deployments; the end of {deploy.log}:\n{deploy.tail()}"
            )

    def _wait(self, name: str, ready: Callable[[], bool], *, may_end: bool = False) -> None:
        """Waits until a service is ready; raises its output if it ended instead."""
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if self._asked.is_set():
                raise KeyboardInterrupt
            for child in self.children.values():
                if child.died and not (may_end and child.name == name):
                    raise UserError(
                        f"{child.name} did not start; the end of {child.log}:\n{child.tail()}"
                    )
            if time.monotonic() > deadline:
                log_file = self.children[name].log
                raise UserError(f"{name} is not ready after {START_SECONDS:.0f} s; see {log_file}")
            time.sleep(0.05)

    def _portal_answers(self) -> bool:
        return answers(
            f"http://{reachable(self.settings.host)}:{self.settings.portal_port}/healthz"
        )

    def _worker_is_online(self, name: str, began: datetime) -> bool:
        url = f"{self.api_url}/work_pools/{load_queues().pool}/workers/filter"
        with contextlib.suppress(httpx2.TransportError):
            answer = client().post(url, json={}, auth=PrefectLogin(self.settings))
            workers: list[dict[str, Any]] = answer.json() if answer.is_success else []
            return any(
                worker["name"] == name
                and datetime.fromisoformat(worker["last_heartbeat_time"]) > began
                for worker in workers
            )
        return False

    def _watch(self) -> None:
        """Restarts services that died, until everything is stopped."""
        while not self._stopping.wait(WATCH_SECONDS):
            with self._lock:
                if not self._stopping.is_set():
                    try:
                        self._revive()
                        self._take_up_secrets()
                    except Exception:  # the next check may succeed; the loop must not end
                        log.exception("what ended could not be started again yet")

    def _take_up_secrets(self) -> None:
        """Restarts, one after the other, the services whose secret has a new value."""
        now = stamps(self.settings)
        changed = {name for name, at in now.items() if at != self._secrets.get(name)}
        if not changed:
            return
        log.warning("new: %s", ", ".join(sorted(changed)))
        if changed & {"signing-key", "database-roles"}:
            open_roles(self.database_url, self.settings)
            self._renew(PORTAL)
        if "prefect-password" in changed:
            for name in self._workers():
                self._renew(name)
        self._secrets = now

    def _renew(self, name: str) -> None:
        """Restarts a service with the current secrets."""
        child = self.children[name]
        child.stop()
        child.environment |= apply_environment(self.settings, self.project)
        own = self._portal_environment() if name == PORTAL else {}
        child.environment |= {"GROUPER_DATABASE_URL": self.database_url, **own}
        child.start()

    def _revive(self) -> None:
        if self.postgres is not None and (self.postgres.died or self._database_lost):
            log.error("the database ended; it is started again")
            self._database_lost = True
            self.postgres.stop()
            self.postgres.start()
            self._database_lost = False
        for child in self.children.values():
            if child.died and child.due():
                log.error("%s ended; it is started again, see %s", child.name, child.log)
                child.start_again()


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]
