"""The launcher: imports the modules of runs once, and forks a process for each requested run.

It preloads code only: no settings, connections or threads. A run reads its own environment and has
its own memory. The launcher ends a run whose starter died, and sends a starter the exit code of its
run.
"""

from __future__ import annotations

import array
import ast
import contextlib
import gc
import importlib
import logging
import os
import selectors
import signal
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.settings import PROJECT
from deployments.warm_start.run_process import Request
from deployments.warm_start.start_run import SOCKET

log = logging.getLogger("grouper.launcher")

NO_THREADS = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
"""Read by libraries as they are loaded. A fork copies one thread alone: others would be missing."""
SECONDS_FOR_A_REQUEST = 10.0
"""The longest wait for a starter's request, so that a silent one does not delay the others."""
PREFECT = (
    "prefect.engine",
    "prefect.flow_engine",
    "prefect.task_engine",
    "prefect.task_runners",
    "prefect.deployments.steps.core",
    "prefect.events.clients",
    "prefect.artifacts",
    "prefect.runner.storage",
)


@dataclass
class Starter:
    """A process that stands for a run; ``pid`` is the run's own."""

    connection: socket.socket
    pid: int


class Launcher:
    """Serves one socket; in each forked process ``serve`` returns the request to carry out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._selector = selectors.DefaultSelector()
        self._starters: dict[int, Starter] = {}  # by the pid of the run
        self._stopping = False

    def serve(self) -> Request | None:
        """Forks until somebody asks the launcher to stop (None), or in the child: its request."""
        listener = self._listen()
        woken, wakes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        self._selector.register(listener, selectors.EVENT_READ, self._accept)
        self._selector.register(woken, selectors.EVENT_READ, self._reap)
        while not self._stopping:
            for key, _ in self._selector.select():
                request: Request | None = key.data(key.fileobj)
                if request is not None:
                    self._let_go((listener.fileno(), woken, wakes))
                    return request
        return None

    def _listen(self) -> socket.socket:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # By its folder's descriptor: the address of a socket has room for 107 bytes only.
        folder = os.open(self._path.parent, os.O_PATH)
        before = os.umask(0o177)
        try:
            listener.bind(f"/proc/self/fd/{folder}/{self._path.name}")
        finally:
            os.umask(before)
            os.close(folder)
        listener.listen(128)
        return listener

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _accept(self, listener: socket.socket) -> Request | None:
        connection, _ = listener.accept()
        try:
            request = receive(connection)
        except (OSError, ValueError) as error:
            log.warning("a starter said nothing that can be understood: %s", error)
            connection.close()
            return None
        parent = os.getpid()
        pid = os.fork()
        if not pid:
            connection.close()
            request.parent = parent
            return request
        request.close()
        self._starters[pid] = Starter(connection, pid)
        self._selector.register(connection, selectors.EVENT_READ, self._heard_from(pid))
        return None

    def _heard_from(self, pid: int) -> object:
        def heard(connection: socket.socket) -> None:
            try:
                signals = connection.recv(64)
            except OSError:
                signals = b""
            # When a starter ends, for any reason, its run is ended too.
            for number in signals or bytes([signal.SIGKILL]):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            if not signals:
                self._forget(pid)

        return heard

    def _reap(self, woken: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(woken, 4096)
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if pid in self._starters:
                    code = os.waitstatus_to_exitcode(status)
                    with contextlib.suppress(OSError):
                        self._starters[pid].connection.sendall(struct.pack("=i", code))
                    self._forget(pid)

    def _forget(self, pid: int) -> None:
        starter = self._starters.pop(pid)
        self._selector.unregister(starter.connection)
        starter.connection.close()

    def _let_go(self, descriptors: tuple[int, ...]) -> None:
        """Closes the launcher's descriptors in the child."""
        signal.set_wakeup_fd(-1)
        self._selector.close()
        for starter in self._starters.values():
            starter.connection.close()
        for descriptor in descriptors:
            os.close(descriptor)


def receive(connection: socket.socket) -> Request:
    """The request of a starter; raises ``OSError`` or ``ValueError`` where it is incomplete."""
    connection.settimeout(SECONDS_FOR_A_REQUEST)
    streams = array.array("i")
    head, rights, _, _ = connection.recvmsg(4, socket.CMSG_SPACE(3 * streams.itemsize))
    for level, kind, data in rights:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            streams.frombytes(data)
    if len(head) != 4 or len(streams) != 3:
        for stream in streams:
            os.close(stream)
        raise ValueError("no length, or not three streams")
    content = memoryview(_exactly(connection, struct.unpack("=I", head)[0]))
    connection.settimeout(None)
    folder, arguments, environment = _parts(content)
    return Request(
        folder=os.fsdecode(folder),
        arguments=[os.fsdecode(each) for each in arguments.split(b"\0")],
        environment={
            os.fsdecode(name): os.fsdecode(value)
            for name, _, value in (pair.partition(b"=") for pair in environment.split(b"\0"))
        },
        streams=tuple(streams),
    )


def _exactly(connection: socket.socket, size: int) -> bytes:
    blocks = bytearray()
    while len(blocks) < size:
        block = connection.recv(min(size - len(blocks), 1 << 20))
        if not block:
            raise ValueError(f"{len(blocks)} of {size} bytes")
        blocks += block
    return bytes(blocks)


def _parts(content: memoryview) -> Iterator[bytes]:
    while content:
        size = struct.unpack("=I", content[:4])[0]
        yield bytes(content[4 : 4 + size])
        content = content[4 + size :]


def modules_of_flows(project: Path = PROJECT) -> list[str]:
    """What the flows import from core and tasks; the flows themselves are loaded by their runs,
    since they read settings as they are declared."""
    names = set[str]()
    for path in sorted((project / "flows").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    return sorted(name for name in names if name.startswith(("core.", "tasks.")))


def preload() -> None:
    """Imports what runs need. Forked processes share it until they write to it."""
    os.environ.update(NO_THREADS)
    for name in (*PREFECT, *modules_of_flows()):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # or each collection in a run would copy all of it


def main() -> None:
    """Serves the socket that the environment names."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    preload()
    request = Launcher(Path(os.environ[SOCKET])).serve()
    if request is not None:
        request.carry_out()  # in the forked process
    sys.exit(0)


if __name__ == "__main__":
    main()
