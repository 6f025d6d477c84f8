"""Runs begin in processes forked from one that has everything imported: real processes, sockets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployments.apply import run_command
from deployments.warm_start.start_run import SOCKET

PROBE = """
import json, os, signal, sys, threading
from core import settings
from prefect.settings import get_current_settings
def leave(*_): sys.exit(7)
signal.signal(signal.SIGTERM, leave)
print(json.dumps({
    "pid": os.getpid(), "folder": os.getcwd(), "argv": sys.argv, "environment": dict(os.environ),
    "threads": threading.active_count(), "read": len(settings._in_use), "name": __name__,
    "api": str(get_current_settings().api.url), "path": sys.path[0],
    "home": str(settings.settings().home), "stdin": sys.stdin.read(),
    "open": sorted(os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")
                   if os.path.exists(f"/proc/self/fd/{n}") and int(n) > 2),
}), flush=True)
what = sys.argv[1]
if what == "wait": signal.pause()
if what == "fail": raise ValueError("on purpose")
sys.exit(int(what))
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    """Far down, since the address of a socket is short."""
    folder = tmp_path_factory.mktemp("home") / ("deep" * 20) / ("down" * 20)
    environment = {**os.environ, SOCKET: str(folder / "launcher.sock"), "ONLY": "the launcher"}
    command = [sys.executable, "-m", "deployments.warm_start.launcher"]
    process = subprocess.Popen(command, env=environment)
    process.socket = folder / "launcher.sock"  # type: ignore[attr-defined]
    wait_until((folder / "launcher.sock").exists)
    yield process
    process.terminate()
    process.wait()


def start(launcher: subprocess.Popen[bytes] | None, folder: Path, what: str) -> subprocess.Popen:  # type: ignore[type-arg]
    (folder / "probe.py").write_text(PROBE)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{folder}{os.pathsep}{Path.cwd()}",
        "PREFECT_API_URL": "http://127.0.0.1:1/of-the-run",
        "GROUPER_HOME": str(folder),
        "PREFECT_HOME": str(folder / "prefect"),
    }
    if launcher is not None:
        environment[SOCKET] = str(launcher.socket)  # type: ignore[attr-defined]
    command = run_command().replace("prefect.engine", f"probe {what}").split()
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def first_output(process: subprocess.Popen[str]) -> dict[str, object]:
    assert process.stdout is not None
    found: dict[str, object] = json.loads(process.stdout.readline())
    return found


@pytest.mark.parametrize("warm", [True, False])
def test_a_run_has_its_own_environment_folder_arguments_and_settings(
    warm: bool, launcher: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    process = start(launcher if warm else None, tmp_path, "3")
    run = first_output(process)
    assert process.wait() == 3
    assert (run["pid"] != process.pid) == warm
    assert run["folder"] == run["path"] == str(tmp_path)
    assert (run["name"], run["threads"], run["read"], run["stdin"]) == ("__main__", 1, 0, "")
    assert run["api"] == "http://127.0.0.1:1/of-the-run"
    assert run["home"] == str(tmp_path)
    environment = dict(run["environment"])  # type: ignore[call-overload]
    assert "ONLY" not in environment
    assert environment["PREFECT_API_URL"] == "http://127.0.0.1:1/of-the-run"
    assert list(run["argv"])[1:] == ["3"]  # type: ignore[call-overload]
    assert not [name for name in run["open"] if "socket" in name or "pipe" in name]  # type: ignore[attr-defined]


def test_an_error_ends_as_it_would_alone(launcher: subprocess.Popen[bytes], tmp_path: Path) -> None:
    process = start(launcher, tmp_path, "fail")
    first_output(process)
    assert process.wait() == 1
    assert process.stderr is not None
    assert "ValueError: on purpose" in process.stderr.read()


def test_signals_are_passed_on(launcher: subprocess.Popen[bytes], tmp_path: Path) -> None:
    process = start(launcher, tmp_path, "wait")
    pid = first_output(process)["pid"]
    process.terminate()
    assert process.wait() == 7
    assert not alive(int(str(pid)))


def test_a_run_dies_with_its_starter(launcher: subprocess.Popen[bytes], tmp_path: Path) -> None:
    process = start(launcher, tmp_path, "wait")
    pid = int(str(first_output(process)["pid"]))
    process.kill()
    assert process.wait() == -signal.SIGKILL
    wait_until(lambda: not alive(pid))


def test_a_starter_dies_with_its_run(launcher: subprocess.Popen[bytes], tmp_path: Path) -> None:
    process = start(launcher, tmp_path, "wait")
    os.kill(int(str(first_output(process)["pid"])), signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_what_says_nothing_keeps_nobody_waiting(
    launcher: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    import socket

    folder = os.open(launcher.socket.parent, os.O_PATH)  # type: ignore[attr-defined]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as junk:
        junk.connect(f"/proc/self/fd/{folder}/launcher.sock")
        junk.sendall(b"\xff\xff\xff\xff junk")
    os.close(folder)
    process = start(launcher, tmp_path, "0")
    first_output(process)
    assert process.wait() == 0


def test_the_socket_is_its_owners_alone(launcher: subprocess.Popen[bytes]) -> None:
    path: Path = launcher.socket  # type: ignore[attr-defined]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_many_at_once_end_each_with_its_code(
    launcher: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    processes = [start(launcher, tmp_path, str(number)) for number in range(8)]
    assert [process.communicate() and process.returncode for process in processes] == list(range(8))


def test_runs_and_starters_die_with_the_launcher(tmp_path: Path) -> None:
    path = tmp_path / "launcher.sock"
    command = [sys.executable, "-m", "deployments.warm_start.launcher"]
    launcher = subprocess.Popen(command, env={**os.environ, SOCKET: str(path)})
    launcher.socket = path  # type: ignore[attr-defined]
    wait_until(path.exists)
    process = start(launcher, tmp_path, "wait")
    pid = int(str(first_output(process)["pid"]))
    launcher.kill()
    launcher.wait()
    assert process.wait() == -signal.SIGKILL
    wait_until(lambda: not alive(pid))


def test_the_launcher_preloads_code_only() -> None:
    program = (
        "import os, sys, threading\n"
        "from deployments.warm_start.launcher import modules_of_flows, preload\n"
        "preload()\n"
        "from core import settings\n"
        "assert not settings._in_use\n"
        "assert threading.active_count() == len(os.listdir('/proc/self/task')) == 1\n"
        "links = [os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') "
        "if os.path.exists(f'/proc/self/fd/{n}')]\n"
        "assert not [link for link in links if 'socket' in link], links\n"
        "assert set(modules_of_flows()) <= set(sys.modules)\n"
        "assert 'pyarrow' in sys.modules and 'sqlalchemy' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdin=subprocess.DEVNULL)
