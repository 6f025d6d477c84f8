"""A local OpenID provider with the demonstration's people: no password, one click to sign in."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from core.processes import start_child
from core.user_errors import UserError
from deployments.demo.cast import DemoPerson

SECONDS_TO_START = 30


@contextmanager
def openid_provider(people: Iterable[DemoPerson], *, port: int, log: Path) -> Iterator[str]:
    """Runs the provider; gives its metadata URL once it answers."""
    command = [str(Path(sys.executable).with_name("oidc-provider-mock")), "--port", str(port)]
    command += ["--token-max-age", str(12 * 3600)]
    for person in people:
        command += ["--user-claims", json.dumps(person.claims)]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = start_child(command, death_signal=signal.SIGTERM, stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{port}/.well-known/openid-configuration"
        _wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < until:
        try:
            if httpx.get(url, timeout=1).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise UserError("the demonstration's OpenID provider did not start; see its log")
