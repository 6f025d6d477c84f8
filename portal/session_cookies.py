"""Begins a session of ours when Streamlit sets its sign-in cookie.

Streamlit's cookie is signed, but no server stores it: a copy is valid for thirty days. So the
cookie gets the key of a row in the database, which expires and can be ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from http.cookies import SimpleCookie
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.auth_util import get_cookie_with_chunks, set_cookie_with_chunks
from streamlit.web.server.starlette.starlette_app_utils import (
    create_signed_value,
    decode_signed_value,
)

from core.access.sessions import NotAdmitted, admitted_session, begin_session, sign_out
from core.settings import settings
from portal.client_address import address_of
from portal.database import engine_of
from portal.rate_limits import RateLimit

COOKIE = "_streamlit_user"
KEY = "grouper_session"
"""The claim that holds the key."""
CALLBACK = "/oauth2callback"
LOGOUT = "/auth/logout"

_Headers = list[tuple[bytes, bytes]]


class SessionCookies:
    """ASGI middleware around the way back from the OpenID provider."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._sign_ins = RateLimit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith(LOGOUT):
            await run_in_threadpool(_end_session, Request(scope))
        if scope["type"] != "http" or not scope["path"].endswith(CALLBACK):
            await self._app(scope, receive, send)
            return

        request = Request(scope)
        address = address_of(request.headers, request.client)
        if not self._sign_ins.allows(str(address), settings().sign_ins_per_minute):
            said = "Many sign-ins came from your address within a minute. Wait a moment."
            await PlainTextResponse(said, 429)(scope, receive, send)
            return

        async def send_with_session(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                message["headers"] = await run_in_threadpool(_with_session, headers, Request(scope))
            await send(message)

        await self._app(scope, receive, send_with_session)


def claims_of(cookies: dict[str, str]) -> dict[str, Any] | None:
    """The claims of the signed cookie; None where there is none, or it is not ours."""

    def signed_value(name: str) -> bytes | None:
        value = cookies.get(name)
        if not value:
            return None
        return decode_signed_value(settings().signing_key(), name, value.encode("latin-1"))

    cookie = get_cookie_with_chunks(signed_value, COOKIE)
    return json.loads(cookie) if cookie else None


def has_cookie(names: Iterable[str]) -> bool:
    """Whether a browser sends a sign-in cookie, valid or not."""
    return COOKIE in names


def _end_session(request: Request) -> None:
    """The address by which Streamlit forgets a cookie ends the sign-in itself, too."""
    claims = claims_of(request.cookies)
    if claims is None:
        return
    address = address_of(request.headers, request.client)
    subject, key = str(claims.get("sub", "")), str(claims.get(KEY, ""))
    with suppress(NotAdmitted), engine_of(None, address).begin() as connection:
        session = admitted_session(connection, subject, key, active=False)
        sign_out(connection, session.id, user_id=session.user_id)


def _with_session(headers: _Headers, request: Request) -> _Headers:
    claims = claims_of(_cookies_set(headers))
    if claims is None:
        return headers
    address, agent = address_of(request.headers, request.client), request.headers.get("user-agent")
    with engine_of(None, address).begin() as connection:
        key = begin_session(connection, str(claims.get("sub", "")), address=address, agent=agent)
    if key is None:
        return headers
    others = [(name, value) for name, value in headers if not _sets_it(name, value)]
    return others + _signed_anew({**claims, KEY: key})


def _cookies_set(headers: _Headers) -> dict[str, str]:
    """The parts of the sign-in cookie that a response sets, by name."""
    cookies: dict[str, str] = {}
    for name, value in headers:
        if _sets_it(name, value):
            cookies |= {
                cookie.key: cookie.value for cookie in SimpleCookie(value.decode()).values()
            }
    return {name: value for name, value in cookies.items() if value}


def _sets_it(name: bytes, value: bytes) -> bool:
    cookie = value.partition(b"=")[0].decode("latin-1")
    part = cookie.removeprefix(COOKIE).lstrip("_")
    ours = cookie.startswith(COOKIE) and (not part or part.isdigit())
    return name.lower() == b"set-cookie" and ours and b"Max-Age=0" not in value


def _signed_anew(claims: dict[str, Any]) -> _Headers:
    response = Response()

    def sign(name: str, value: str) -> bytes:
        return bytes(create_signed_value(settings().signing_key(), name, value))

    def set_one(name: str, value: str) -> None:
        seconds = int(settings().session_hours * 3600)
        response.set_cookie(
            name, sign(name, value).decode(), max_age=seconds, httponly=True, samesite="lax"
        )

    set_cookie_with_chunks(set_one, sign, COOKIE, claims, cookie_attr_size=100)
    return [header for header in response.raw_headers if header[0] == b"set-cookie"]
