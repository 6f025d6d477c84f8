"""Asks a source over HTTP: at its pace, again where that may help, and never for what is as it was.

What fails for a while (no connection, a timeout, 429, 5xx, half an answer, a page of HTML) is asked
again, later each time, and not before a Retry-After. What the source refuses is not.
"""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import httpx

from core.areas.answers import Page, Question, RefusedAnswer, WrongAnswer
from core.areas.pace import Pace
from core.settings import Settings

LONGEST_PAUSE = 60.0


class AskingFailed(Exception):
    """No answer after every attempt; the text says what the last one met."""


class NotYet(Exception):
    """An attempt that failed and may be repeated; ``seconds`` is what the source asked for."""

    def __init__(self, text: str, seconds: float | None = None) -> None:
        super().__init__(text)
        self.seconds = seconds


@dataclass(frozen=True)
class Kept:
    """What is known of an address from an earlier answer."""

    etag: str | None
    last_modified: str | None
    page: Page


@dataclass(frozen=True)
class Answer:
    """A page as it is now; ``kept`` is what to remember of it, None where there is nothing new."""

    address: str
    page: Page
    kept: Kept | None


@dataclass(frozen=True)
class Manners:
    """How a source is treated."""

    at_once: int
    per_second: float
    seconds: float  # until an answer must have come
    attempts: int
    longest_wait: float  # the longest Retry-After that is waited for
    agent: str
    pause: float = 0.5  # before the second attempt; each further one doubles it, give or take half

    @classmethod
    def of(cls, settings: Settings) -> Manners:
        """As the settings say; the user agent says who asks, and where to complain."""
        contact = settings.spider_contact or settings.portal_url
        return cls(
            settings.spider_requests,
            settings.spider_per_second,
            settings.spider_timeout,
            settings.spider_attempts,
            settings.spider_longest_wait,
            f"Grouper/0.1 (register of areas; {contact})",
        )


class Asker:
    """A client of one source for many threads; a context manager."""

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.pace = Pace(manners.per_second)
        self._client = httpx.Client(
            timeout=manners.seconds,
            follow_redirects=True,
            limits=httpx.Limits(
                max_connections=manners.at_once, max_keepalive_connections=manners.at_once
            ),
            headers={"User-Agent": manners.agent, "Accept": "application/json"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def ask(self, question: Question, known: Callable[[str], Kept | None]) -> Answer:
        """The answer; ``known`` gives what is kept of an address. Raises ``AskingFailed``."""
        request = self._client.build_request(
            "GET", question.address, params=dict(question.parameters)
        )
        address = str(request.url)
        kept = known(address)
        request.headers.update(_conditions(kept))
        for attempt in range(1, self.manners.attempts + 1):
            self.pace.wait()
            try:
                return self._attempt(request, question, address, kept)
            except RefusedAnswer as error:
                raise AskingFailed(str(error)) from error
            except NotYet as error:
                if attempt == self.manners.attempts or self._too_long(error):
                    raise AskingFailed(f"{error}, {attempt} times") from error
                self._rest(error, attempt)
        raise AssertionError("there is at least one attempt")

    def _attempt(
        self, request: httpx.Request, question: Question, address: str, kept: Kept | None
    ) -> Answer:
        try:
            response = self._client.send(request)
        except httpx.RequestError as error:
            raise NotYet(f"it did not answer ({type(error).__name__})") from error
        if response.status_code == httpx.codes.NOT_MODIFIED and kept is not None:
            return Answer(address, kept.page, None)
        if response.status_code != httpx.codes.OK:
            raise _no_success(response)
        try:
            page = question.read(response.content, response.headers.get("Content-Type", ""))
        except WrongAnswer as error:
            raise NotYet(str(error)) from error
        return Answer(address, page, _to_keep(response, page, kept))

    def _too_long(self, error: NotYet) -> bool:
        return (error.seconds or 0) > self.manners.longest_wait

    def _rest(self, error: NotYet, attempt: int) -> None:
        """Waits before the next attempt; where the source asked for it, everybody does."""
        pause = min(LONGEST_PAUSE, self.manners.pause * 2 ** (attempt - 1))
        pause *= random.uniform(0.5, 1.5)  # noqa: S311 (no secret: it parts those who ask at once)
        if error.seconds is not None:
            self.pace.rest(error.seconds)
            pause = error.seconds
        time.sleep(pause)


def _conditions(kept: Kept | None) -> dict[str, str]:
    if kept is None:
        return {}
    found = {"If-None-Match": kept.etag, "If-Modified-Since": kept.last_modified}
    return {name: value for name, value in found.items() if value}


def _no_success(response: httpx.Response) -> Exception:
    status = response.status_code
    text = f"it answered {status} {response.reason_phrase}".rstrip()
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= 500:
        return NotYet(text, retry_after(response.headers.get("Retry-After")))
    return RefusedAnswer(text)


def retry_after(value: str | None) -> float | None:
    """Seconds until the source wants to be asked again: it says so in seconds or as a date."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at.replace(tzinfo=at.tzinfo or dt.UTC)
    return max(0.0, (at - dt.datetime.now(dt.UTC)).total_seconds())


def _to_keep(response: httpx.Response, page: Page, kept: Kept | None) -> Kept | None:
    """What the source needs to say next time that nothing is new, unless it is kept already."""
    etag, modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
    fresh = Kept(etag, modified, page)
    return fresh if (etag or modified) and fresh != kept else None
