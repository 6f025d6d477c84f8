"""Signing in to Prefect's API: every client of ours, and its server's own guard.

The password is read at each request, so a changed one counts at once, without a start.
"""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Generator
from pathlib import Path

import httpx2

from core.settings import PREFECT_PASSWORD, PREFECT_USER, Settings

FORMER_SECONDS = 600.0
"""So long the password of before still opens, for processes that were started with it."""


class PrefectLogin(httpx2.Auth):
    """Adds the sign-in to each request, where the server has one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        login = self._settings.prefect_login()
        if login is not None:
            request.headers["Authorization"] = basic(login)
        yield request


def prefect_client(settings: Settings, seconds: float = 30) -> httpx2.Client:
    """A client of Prefect's API that is signed in."""
    return httpx2.Client(base_url=settings.api_url, timeout=seconds, auth=PrefectLogin(settings))


def basic(login: str) -> str:
    """``user:password`` as the header ``Authorization`` has it."""
    return "Basic " + base64.b64encode(login.encode()).decode()


def former_password(settings: Settings) -> Path:
    """Where the password of before is kept while it still opens."""
    return settings.home / f"{PREFECT_PASSWORD}.former"


def opens(settings: Settings, given: str) -> bool:
    """Whether ``user:password`` is the sign-in of today, or the one that was changed just now."""
    return any(hmac.compare_digest(given.encode(), login.encode()) for login in _logins(settings))


def _logins(settings: Settings) -> list[str]:
    today = settings.prefect_login()
    logins = [] if today is None else [today]
    former = former_password(settings)
    try:
        if settings.prefect_password is None and _age(former) < FORMER_SECONDS:
            logins.append(f"{PREFECT_USER}:{former.read_text()}")
    except FileNotFoundError:
        pass
    return logins


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime
