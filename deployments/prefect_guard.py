"""What stands before Prefect's server: who may come in, from which page, under which name.

Prefect's own server checks a password, and nothing else: it answers under any name (a strange site
that resolves to this machine would be its own origin), and shows its documentation to everybody.
A browser adds no credentials of Prefect's by itself, since its pages keep them in their own storage
and send them as a header; together with the origin that is the protection against forged requests.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.settings import EVERY_ADDRESS, Settings
from deployments.prefect_login import basic, opens

LOOPBACK = ("127.0.0.1", "localhost", "::1")
OPEN = ("/api/health", "/api/ready")
"""Probes, which say that the server is there and nothing else."""
DOCUMENTATION = ("/docs", "/redoc", "/openapi.json")
FIRST_MESSAGE_SECONDS = 10.0
"""So long a WebSocket may stay without signing in."""
REFUSED = 1008


def hosts_of(settings: Settings) -> frozenset[str]:
    """The names under which the server answers."""
    listening = settings.prefect_host
    names = {*LOOPBACK, *([] if listening in EVERY_ADDRESS else [listening])}
    for url in (settings.prefect_public_url, settings.prefect_api_url):
        names.add(urlsplit(url or "").hostname or listening)
    return frozenset(name.lower() for name in names if name not in EVERY_ADDRESS)


def origins_of(settings: Settings) -> tuple[str, ...]:
    """The pages that may call the server from a browser: its own, under each of its names."""
    own = (f"http://{_bracketed(host)}:{settings.prefect_port}" for host in hosts_of(settings))
    public = urlsplit(settings.prefect_public_url or "")
    given = [f"{public.scheme}://{public.netloc}"] if public.netloc else []
    return tuple(sorted({*own, *given}))


class PrefectRequestGuard:
    """ASGI middleware around Prefect's server, which knows ``inner`` as its only sign-in."""

    def __init__(self, app: ASGIApp, settings: Settings, inner: str) -> None:
        self._app = app
        self._settings = settings
        self._inner = inner
        self._hosts = hosts_of(settings)
        self._origins = origins_of(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if _host(headers.get("host", "")) not in self._hosts:
            await _refuse(scope, receive, send, 421, "This is not the name of this server.")
        elif headers.get("origin", self._origins[0]) not in self._origins:
            await _refuse(scope, receive, send, 403, "Pages of other sites may not call this.")
        elif scope["type"] == "websocket":
            await self._app(scope, self._signing_in(receive), send)
        elif self._closed(scope) and not self._signed_in(headers):
            await _refuse(scope, receive, send, 401, "Sign in: see docs/operating.md.")
        else:
            await self._app(self._with_inner(scope), receive, send)

    def _closed(self, scope: Scope) -> bool:
        """Whether a sign-in is asked for; the bare pages hold nothing but their program."""
        path: str = scope["path"]
        if path in OPEN:
            return scope["method"] not in ("GET", "HEAD")
        if scope["method"] == "OPTIONS":  # a preflight carries no credentials
            return False
        return path.startswith(("/api/", *DOCUMENTATION)) or path == "/api"

    def _signed_in(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        try:
            login = base64.b64decode(given, validate=True).decode()
        except ValueError:  # no base64, or no text
            return False
        return scheme.lower() == "basic" and opens(self._settings, login)

    def _with_inner(self, scope: Scope) -> Scope:
        others = [pair for pair in scope["headers"] if pair[0] != b"authorization"]
        own = (b"authorization", basic(self._inner).encode())
        return {**scope, "headers": [*others, own]} if self._closed(scope) else scope

    def _signing_in(self, receive: Receive) -> Receive:
        """Hands the first message on as Prefect's server wants it: it is to hold the sign-in."""
        waits = True

        async def receive_signed_in() -> Message:
            nonlocal waits
            if not waits:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), FIRST_MESSAGE_SECONDS)
            except TimeoutError:
                return {"type": "websocket.disconnect", "code": REFUSED}
            if message["type"] == "websocket.receive":
                waits = False
                return {"type": "websocket.receive", "text": self._first(message)}
            return message

        return receive_signed_in

    def _first(self, message: Message) -> str:
        try:
            greeting: Any = json.loads(message.get("text") or "")
        except ValueError:
            greeting = None
        if not isinstance(greeting, dict) or greeting.get("type") != "auth":
            return json.dumps({"type": "auth"})
        good = isinstance(greeting.get("token"), str) and opens(self._settings, greeting["token"])
        return json.dumps({**greeting, "token": self._inner if good else ""})


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, text: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": REFUSED, "reason": text})
        return
    await PlainTextResponse(text, status, headers={"Connection": "close"})(scope, receive, send)


def _host(header: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def origins_setting(origins: Iterable[str]) -> str:
    """As Prefect's own setting has them."""
    return ",".join(origins)
