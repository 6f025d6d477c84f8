"""What stands before the portal: which requests there are, under which name, from which page.

Streamlit brings routes that the portal has no use for; one of them takes uploads of gigabytes from
anybody. Here stands what there is, and everything else is answered before a byte of a body is read.
Every answer carries the headers that keep browsers from doing more than the portal asks of them.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from pathlib import Path
from urllib.parse import urlsplit

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.settings import EVERY_ADDRESS, Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PAGES = re.compile(r"/[a-z-]*")
OF_STREAMLIT = re.compile(
    r"/(static/.*|favicon\.(png|ico)|manifest\.json|robots\.txt"
    r"|_stcore/(health|host-config|allowed-message-origins|bidi-components/.*)"
    r"|auth/login|auth/logout|oauth2callback)"
)
OWN = re.compile(
    r"/(healthz|home|download/.+|errors/[0-9]{1,9}/\w+|template/[0-9]{1,9}/\w+|invoice/[^/]+"
    r"|invoices\.csv)"
)
"""Numbers of rows as the database can hold them: longer ones name nothing."""
BODIES = {"/api/upload": "PUT", "/hooks/prefect": "POST"}
"""The only routes that take a body."""
STREAM = "/_stcore/stream"
MOST_MESSAGE_BYTES = 1 << 20
"""Of a message on a page's connection: what somebody typed and chose, never a file."""
REFUSED, TOO_BIG = 1008, 1009


class PortalRequestGuard:
    """ASGI middleware, the outermost."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._hosts = _hosts(settings)
        self._origin = settings.portal_url if settings.public_url else None
        self._headers = _headers(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, self._sending(send))
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if not self._is_ours(headers.get("host", "")):
            await _refuse(scope, receive, send, 421, "This is not the name of this server.")
        elif not _is_there(scope["path"]):
            await _refuse(scope, receive, send, 404, "There is nothing here.")
        elif scope["path"] not in BODIES and _has_body(headers):
            await _refuse(scope, receive, send, 405, "Nothing is taken in here.")
        else:
            await self._app(scope, receive, send)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if scope["path"] != STREAM or not self._is_ours(host) or not self._is_own_page(headers):
            await send({"type": "websocket.close", "code": REFUSED})
            return

        async def receive_bounded() -> Message:
            message = await receive()
            said = message.get("bytes") or message.get("text") or b""
            if message["type"] == "websocket.receive" and len(said) > MOST_MESSAGE_BYTES:
                await send({"type": "websocket.close", "code": TOO_BIG})
                return {"type": "websocket.disconnect", "code": TOO_BIG}
            return message

        await self._app(scope, receive_bounded, send)

    def _is_ours(self, host: str) -> bool:
        name = _name(host)
        if self._hosts is not None:
            return name in self._hosts
        return name in LOOPBACK or _is_address(name)

    def _is_own_page(self, headers: Headers) -> bool:
        """Whether a page of the portal itself connects; browsers always say which one."""
        origin = urlsplit(headers.get("origin", ""))
        if origin.scheme not in ("http", "https"):
            return False
        own = f"{origin.scheme}://{origin.netloc}" == self._origin
        return own or origin.netloc == headers.get("host", "")

    def _sending(self, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    answered[name] = value
            await send(message)

        return send_with_headers


def _hosts(settings: Settings) -> frozenset[str] | None:
    """The names under which the portal answers; None: any address, since nobody said a name."""
    listening = [] if settings.host in EVERY_ADDRESS else [settings.host.lower()]
    if settings.public_url is None:
        return frozenset({*LOOPBACK, *listening}) if listening else None
    return frozenset({*LOOPBACK, *listening, urlsplit(settings.public_url).hostname or ""})


def _headers(settings: Settings) -> dict[str, str]:
    headers = {
        "Content-Security-Policy": content_security_policy(),
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    if settings.portal_url.startswith("https:"):
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return headers


def content_security_policy() -> str:
    """Scripts of the portal alone, and nothing from elsewhere: no image, frame or form.

    Charts are compiled in the browser, which is what ``unsafe-eval`` is for; parts of pages bring
    their scripts as ``blob:``. Styles are written into the page as it changes.
    """
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'unsafe-eval' blob: {' '.join(_inline_scripts())}".strip(),
            "style-src 'self' 'unsafe-inline' blob:",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "frame-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _inline_scripts() -> list[str]:
    """Hashes of the scripts that Streamlit's own page holds."""
    page = Path(streamlit.__file__).with_name("static") / "index.html"
    found = re.findall(r"<script>(.*?)</script>", page.read_text(encoding="utf-8"), re.DOTALL)
    digests = (hashlib.sha256(script.encode()).digest() for script in found)
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


def _is_there(path: str) -> bool:
    known = (PAGES, OF_STREAMLIT, OWN)
    return path in BODIES or any(pattern.fullmatch(path) for pattern in known)


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, text: str) -> None:
    await PlainTextResponse(text, status, headers={"Connection": "close"})(scope, receive, send)


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
