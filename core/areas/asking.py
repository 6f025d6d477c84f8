"""Asks a source over HTTP: at its pace, again where that may help, and never for what is as it was.

What fails for a while (no connection, a timeout, 429, 5xx, half an answer, a page of HTML) is asked
again, later each time, and not before a Retry-After. What the source refuses is not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import httpx

from core.areas.answers import Page, Question, RefusedAnswer, WrongAnswer
from core.areas.pace import Pace
from core.settings import Settings
from core.support.http_retry import (
    NoAnswer,
    RetryPolicy,
    TemporaryFailure,
    retry_until_answered,
    status_text,
    temporary_refusal,
)


class AskingFailed(Exception):
    """No answer after every attempt; the text says what the last one met."""


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


class Asker(AbstractContextManager["Asker"]):
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

    def close(self) -> None:
        self._client.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, question: Question, known: Callable[[str], Kept | None]) -> Answer:
        """The answer; ``known`` gives what is kept of an address. Raises ``AskingFailed``."""
        request = self._client.build_request(
            "GET", question.address, params=dict(question.parameters)
        )
        address = str(request.url)
        kept = known(address)
        request.headers.update(_conditions(kept))
        policy = RetryPolicy(self.manners.attempts, self.manners.pause, self.manners.longest_wait)

        def attempt() -> Answer:
            self.pace.wait()
            return self._attempt(request, question, address, kept)

        try:  # where the source wants to be left alone, everybody rests
            return retry_until_answered(attempt, policy, self.pace.rest)
        except (RefusedAnswer, NoAnswer) as error:
            raise AskingFailed(str(error)) from error

    def _attempt(
        self, request: httpx.Request, question: Question, address: str, kept: Kept | None
    ) -> Answer:
        try:
            response = self._client.send(request)
        except httpx.RequestError as error:
            raise TemporaryFailure(f"it did not answer ({type(error).__name__})") from error
        if response.status_code == httpx.codes.NOT_MODIFIED and kept is not None:
            return Answer(address, kept.page, None)
        if response.status_code != httpx.codes.OK:
            raise temporary_refusal(response) or RefusedAnswer(status_text(response))
        try:
            page = question.read(response.content, response.headers.get("Content-Type", ""))
        except WrongAnswer as error:
            raise TemporaryFailure(str(error)) from error
        return Answer(address, page, _to_keep(response, page, kept))


def _conditions(kept: Kept | None) -> dict[str, str]:
    if kept is None:
        return {}
    found = {"If-None-Match": kept.etag, "If-Modified-Since": kept.last_modified}
    return {name: value for name, value in found.items() if value}


def _to_keep(response: httpx.Response, page: Page, kept: Kept | None) -> Kept | None:
    """What the source needs to say next time that nothing is new, unless it is kept already."""
    etag, modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
    fresh = Kept(etag, modified, page)
    return fresh if (etag or modified) and fresh != kept else None
