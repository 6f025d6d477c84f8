"""A client of a source over HTTP, with a rate limit, retries and conditional requests.

Temporary failures (no connection, a timeout, 429, 5xx, an incomplete answer, a page of HTML) are
retried with growing pauses, and never before a Retry-After. What the source refuses is not retried.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import httpx2

from core.areas.answers import Page, RefusedAnswer, SourceRequest, WrongAnswer
from core.areas.rate_limiter import RateLimiter
from core.settings import Settings
from core.support.http_retry import (
    NoAnswer,
    RetryPolicy,
    TemporaryFailure,
    retry_until_answered,
    status_text,
    temporary_refusal,
)


class NoSourceAnswer(Exception):
    """No attempt was answered; the text says why the last one failed."""


@dataclass(frozen=True)
class CachedAnswer:
    """An earlier answer of an address, with its validators."""

    etag: str | None
    last_modified: str | None
    page: Page


@dataclass(frozen=True)
class Answer:
    """The current page; ``cached`` is what to store of it, None where nothing is new."""

    address: str
    page: Page
    cached: CachedAnswer | None


@dataclass(frozen=True)
class RequestLimits:
    """How often, how fast and how long a source is asked."""

    max_requests: int
    per_second: float
    seconds: float  # timeout of a request
    attempts: int
    longest_wait: float  # the longest Retry-After that is respected, in seconds
    agent: str
    pause: float = 0.5  # seconds before the second attempt; doubles each time, ± 50 %

    @classmethod
    def of(cls, settings: Settings) -> RequestLimits:
        """The limits of the settings; the user agent names the contact for complaints."""
        contact = settings.spider_contact or settings.portal_url
        return cls(
            settings.spider_requests,
            settings.spider_per_second,
            settings.spider_timeout,
            settings.spider_attempts,
            settings.spider_longest_wait,
            f"Grouper/0.1 (register of areas; {contact})",
        )


class SourceClient(AbstractContextManager["SourceClient"]):
    """A client of one source, safe for threads; a context manager."""

    def __init__(self, limits: RequestLimits) -> None:
        self.limits = limits
        self.rate_limiter = RateLimiter(limits.per_second)
        self._client = httpx2.Client(
            timeout=limits.seconds,
            follow_redirects=True,
            limits=httpx2.Limits(
                max_connections=limits.max_requests, max_keepalive_connections=limits.max_requests
            ),
            headers={"User-Agent": limits.agent, "Accept": "application/json"},
        )

    def close(self) -> None:
        self._client.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(
        self, source_request: SourceRequest, find_cached: Callable[[str], CachedAnswer | None]
    ) -> Answer:
        """The answer; ``find_cached`` looks an address up. Raises ``NoSourceAnswer``."""
        request = self._client.build_request(
            "GET", source_request.address, params=dict(source_request.parameters)
        )
        address = str(request.url)
        cached = find_cached(address)
        request.headers.update(_conditions(cached))
        policy = RetryPolicy(self.limits.attempts, self.limits.pause, self.limits.longest_wait)

        def attempt() -> Answer:
            self.rate_limiter.wait()
            return self._attempt(request, source_request, address, cached)

        try:  # a Retry-After pauses all threads
            return retry_until_answered(attempt, policy, self.rate_limiter.pause)
        except (RefusedAnswer, NoAnswer) as error:
            raise NoSourceAnswer(str(error)) from error

    def _attempt(
        self,
        request: httpx2.Request,
        source_request: SourceRequest,
        address: str,
        cached: CachedAnswer | None,
    ) -> Answer:
        try:
            response = self._client.send(request)
        except httpx2.RequestError as error:
            raise TemporaryFailure(f"it did not answer ({type(error).__name__})") from error
        if response.status_code == httpx2.codes.NOT_MODIFIED and cached is not None:
            return Answer(address, cached.page, None)
        if response.status_code != httpx2.codes.OK:
            raise temporary_refusal(response) or RefusedAnswer(status_text(response))
        try:
            page = source_request.read(response.content, response.headers.get("Content-Type", ""))
        except WrongAnswer as error:
            raise TemporaryFailure(str(error)) from error
        return Answer(address, page, _cacheable(response, page, cached))


def _conditions(cached: CachedAnswer | None) -> dict[str, str]:
    if cached is None:
        return {}
    headers = {"If-None-Match": cached.etag, "If-Modified-Since": cached.last_modified}
    return {name: value for name, value in headers.items() if value}


def _cacheable(
    response: httpx2.Response, page: Page, cached: CachedAnswer | None
) -> CachedAnswer | None:
    """The answer with its validators for the next request, unless it is stored already."""
    etag, modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
    fresh = CachedAnswer(etag, modified, page)
    return fresh if (etag or modified) and fresh != cached else None
