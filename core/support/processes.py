"""Child processes that never outlive their parent."""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from core.user_errors import UserError

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def start_child(
    command: Sequence[str], *, death_signal: signal.Signals, **options: Any
) -> subprocess.Popen[bytes]:
    """Starts a program in its own process group; it gets ``death_signal`` when this process ends.

    The kernel counts the thread that starts the child as the parent: start it from one that lives
    as long as the process. ``options`` are those of ``Popen``.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        umask=0o077,  # what it writes is for the user of the service alone
        preexec_fn=dies_with_parent(death_signal),  # noqa: PLW1509 (it takes no lock)
        **options,
    )


def dies_with_parent(death_signal: signal.Signals) -> Callable[[], None]:
    """A ``preexec_fn``; it also restores SIGINT and SIGTERM, which shells make background processes
    ignore."""
    parent = os.getpid()

    def in_child() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, death_signal)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if os.getppid() != parent:  # the parent died before the kernel was told
            os._exit(1)

    return in_child


def hold_folder(folder: Path) -> IO[str]:
    """Makes a data folder if it is missing, and holds its lock until the file is closed.

    Raises ``UserError`` if another process has the lock, or the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # For its own user alone: whoever may open a file may hold its lock, and keep us out.
        lock_file = os.fdopen(os.open(folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600), "w")
        os.fchmod(lock_file.fileno(), 0o600)
    except OSError as error:
        raise UserError(
            f"cannot write to {folder} ({error.strerror}): set GROUPER_HOME to a folder of yours"
        ) from error
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock_file.close()
        raise UserError(
            f"{folder} is in use: another `grouper up` runs on it; stop that one, "
            "or set GROUPER_HOME to another folder"
        ) from error
    return lock_file


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port that only lingers after its last connection counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def bound_memory(pid: int, size: int, *, host: str, command: str) -> None:
    """Bounds the memory of a process of this machine, where it is one and we may.

    ``command`` is what the process must be called: behind a tunnel, a number is another's.
    """
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        if host in ("127.0.0.1", "::1", "localhost") and name == command:
            resource.prlimit(pid, resource.RLIMIT_DATA, (size, size))
    except OSError:  # another machine's, or another user's: its keeper bounds it
        return
