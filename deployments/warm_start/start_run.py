"""Starts a run: requests a process with all imports from the launcher, and represents it.

``python -I -S start_run.py prefect.engine`` is the command of the work pool. It forwards signals
and exits with the code of the run; when it dies, the run dies, and vice versa. Without a launcher
it runs the module itself, as ``python -m prefect.engine`` would. It imports as little as it can,
since each import delays every run.
"""

import array
import os
import signal
import socket
import struct
import sys

SOCKET = "GROUPER_LAUNCHER"
"""The variable that names the launcher's socket; the launcher has it from the same place."""
FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def main() -> None:
    """Hands over, or runs the module here."""
    launcher = connect(os.environ.get(SOCKET, ""))
    if launcher is None:
        os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])  # noqa: S606
    hand_over(launcher, sys.argv[1:])
    # Not before: a signal that comes earlier ends this process, and so there is no run.
    for number in FORWARDED:
        signal.signal(number, lambda number, _: launcher.send(bytes([number])))
    leave(launcher.recv(4))


def connect(path: str) -> "socket.socket | None":
    """A connection to the launcher; None where none listens."""
    if not path:
        return None
    folder, _, name = path.rpartition("/")
    launcher = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # By its folder's descriptor: the address of a socket has room for 107 bytes only.
        held = os.open(folder or ".", os.O_PATH)
        try:
            launcher.connect(f"/proc/self/fd/{held}/{name}")
        finally:
            os.close(held)
    except OSError:
        launcher.close()
        return None
    return launcher


def hand_over(launcher: socket.socket, arguments: "list[str]") -> None:
    """Sends folder, arguments and environment, with the three standard streams."""
    parts = [
        os.fsencode(os.getcwd()),
        b"\0".join(map(os.fsencode, arguments)),
        b"\0".join(name + b"=" + value for name, value in os.environb.items()),
    ]
    content = b"".join(struct.pack("=I", len(part)) + part for part in parts)
    streams = array.array("i", [0, 1, 2])
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)]
    launcher.sendmsg([struct.pack("=I", len(content))], rights)
    launcher.sendall(content)


def leave(answer: bytes) -> None:
    """Exits as the run did: with its code or by its signal; killed, if the launcher was killed."""
    code = struct.unpack("=i", answer)[0] if len(answer) == 4 else -signal.SIGKILL
    if code >= 0:
        os._exit(code)
    number = -code
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


if __name__ == "__main__":
    main()
