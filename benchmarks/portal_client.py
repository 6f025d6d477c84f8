"""A client of the portal that behaves like a browser: signs in, holds a websocket, changes pages.

It speaks Streamlit's protocol and draws nothing. Parts of a page that keep themselves up to date
ask again at their times, as they do in a browser.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx2
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

XSRF = "_streamlit_xsrf"
FINISHED = {ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_WITH_COMPILE_ERROR}
MOST_SECONDS = 60.0
SIGN_IN_TRIES = 4


class PageFailed(Exception):
    """The portal showed an exception, or no page at all."""


@dataclass
class Session:
    """One websocket, as a tab of a browser with these cookies has it."""

    url: str
    cookies: dict[str, str]
    pages: dict[str, str] = field(default_factory=dict)  # address -> script hash
    components: dict[str, Any] = field(default_factory=dict)  # the last data of our own components
    buttons: dict[str, str] = field(default_factory=dict)  # label -> id
    sent_to: str = ""  # where a button sends the browser

    async def __aenter__(self) -> Self:
        self._socket = await websockets.connect(
            self.url.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=["streamlit", self.cookies[XSRF]],  # type: ignore[list-item]
            additional_headers={"Cookie": "; ".join(f"{n}={v}" for n, v in self.cookies.items())},
            origin=self.url,  # type: ignore[arg-type]
            max_size=None,
        )
        self._wrong: str | None = None
        self._drawn = asyncio.Event()
        self._repeated: dict[str, asyncio.Task[None]] = {}
        self._listener = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._forget_repeated()
        self._listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listener
        await self._socket.close()

    async def go(self, address: str, query: str = "") -> float:
        """Requests a page and waits until it is complete; in seconds. Raises ``PageFailed``."""
        self._forget_repeated()
        message = BackMsg()
        message.rerun_script.page_script_hash = self.pages.get(address, "")
        message.rerun_script.query_string = query
        return await self._ask(message, address)

    async def press(self, label: str) -> None:
        """Presses a button of the page that is shown."""
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.trigger_value = self.buttons[label], True
        await self._ask(message, label)

    async def _ask(self, message: BackMsg, what: str) -> float:
        self._drawn.clear()
        self._wrong = None
        started = time.perf_counter()
        await self._socket.send(message.SerializeToString())
        await asyncio.wait_for(self._drawn.wait(), MOST_SECONDS)
        if self._wrong is not None:
            raise PageFailed(f"{what or 'the first page'}: {self._wrong}")
        return time.perf_counter() - started

    async def _listen(self) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            async for data in self._socket:
                message = ForwardMsg()
                message.ParseFromString(data)
                self._take_in(message)
        self._wrong = "the portal closed the connection"
        self._drawn.set()

    def _take_in(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "navigation":
            pages = message.navigation.app_pages
            self.pages = {page.url_pathname or "home": page.page_script_hash for page in pages}
        elif kind == "delta":
            self._note(message.delta.new_element)
        elif kind == "page_not_found":
            self._wrong = "there is no such page"
        elif kind == "auth_redirect":
            self.sent_to = message.auth_redirect.url
        elif kind == "auto_rerun":
            self._repeat(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "script_finished" and message.script_finished in FINISHED:
            self._drawn.set()

    def _note(self, element: Element) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception":
            self._wrong = element.exception.message
        elif kind == "button":
            self.buttons[element.button.label] = element.button.id
        elif kind == "bidi_component":
            name = element.bidi_component.component_name.rpartition(".")[2]
            self.components[name] = json.loads(element.bidi_component.json or "null")

    def _repeat(self, fragment: str, seconds: float) -> None:
        if fragment not in self._repeated:
            self._repeated[fragment] = asyncio.create_task(self._ask_again(fragment, seconds))

    async def _ask_again(self, fragment: str, seconds: float) -> None:
        message = BackMsg()
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = True
        while True:
            await asyncio.sleep(seconds)
            await self._socket.send(message.SerializeToString())

    def _forget_repeated(self) -> None:
        for task in self._repeated.values():
            task.cancel()
        self._repeated = {}


@contextlib.asynccontextmanager
async def signed_in(url: str, subject: str) -> AsyncIterator[Session]:
    """The session of a person, by their subject at the local sign-in."""
    async with Session(url, await sign_in(url, subject)) as session:
        await session.go("")
        if "notifications" not in session.pages:
            raise PageFailed(f"{subject} is not let in")
        yield session


async def sign_in(url: str, subject: str) -> dict[str, str]:
    """The cookies of a browser after signing in; retried where the local sign-in, which is made for
    few users, does not answer."""
    for left in reversed(range(SIGN_IN_TRIES)):
        try:
            return await _sign_in(url, subject)
        except httpx2.HTTPError:
            if not left:
                raise
            await asyncio.sleep(1)
    raise AssertionError


async def _sign_in(url: str, subject: str) -> dict[str, str]:
    async with httpx2.AsyncClient(follow_redirects=True, timeout=MOST_SECONDS) as browser:
        await browser.get(f"{url}/_stcore/health")  # brings the token against forged requests
        async with Session(url, _own(browser)) as stranger:
            await stranger.go("")
            await stranger.press("Sign in")
        form = await browser.get(f"{url}{stranger.sent_to}")
        answer = await browser.post(form.url, data={"sub": subject})
        answer.raise_for_status()
        return _own(browser)


def _own(browser: httpx2.AsyncClient) -> dict[str, str]:
    own = [each for each in browser.cookies.jar if re.match(r"_streamlit_(xsrf|user)", each.name)]
    return {cookie.name: cookie.value or "" for cookie in own}


def memory_of(pid: int) -> float:
    """The resident memory of a process now, in MB."""
    return _status_of(pid, "VmRSS")


def peak_of(pid: int) -> float:
    """The peak resident memory of a process since ``forget_peak``, in MB."""
    return _status_of(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Resets the kernel's peak of the process's memory."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def _status_of(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(name)
