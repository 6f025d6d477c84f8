"""Retries requests over HTTP where that may help, with growing pauses or after Retry-After.

A temporary failure (no connection, a timeout, 429, 5xx, an incomplete answer) is
``TemporaryFailure``; any other exception of an attempt ends the retries.
"""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx2

LONGEST_PAUSE = 60.0
T = TypeVar("T")


class TemporaryFailure(Exception):
    """An attempt failed and may be repeated; ``seconds`` is the Retry-After of the service."""

    def __init__(self, text: str, seconds: float | None = None) -> None:
        super().__init__(text)
        self.seconds = seconds


class NoAnswer(Exception):
    """No attempt was answered; the text says why the last one failed."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long a request is retried."""

    attempts: int
    pause: float  # seconds before the second attempt; doubles each time, ± 50 %
    longest_wait: float  # the longest Retry-After that is waited for, in seconds


def retry_until_answered(
    attempt: Callable[[], T],
    policy: RetryPolicy,
    on_retry_after: Callable[[float], None] = lambda _: None,
) -> T:
    """The result of the first successful ``attempt``; raises ``NoAnswer``.

    ``on_retry_after`` is called with the seconds of each Retry-After.
    """
    for number in range(1, policy.attempts + 1):
        try:
            return attempt()
        except TemporaryFailure as error:
            retry_after_seconds = error.seconds or 0
            if number == policy.attempts or retry_after_seconds > policy.longest_wait:
                raise NoAnswer(f"{error}, {number} times") from error
            if error.seconds is not None:
                on_retry_after(error.seconds)
            time.sleep(_pause(policy, number) if error.seconds is None else error.seconds)
    raise AssertionError("there is at least one attempt")


def _pause(policy: RetryPolicy, number: int) -> float:
    pause = min(LONGEST_PAUSE, policy.pause * 2.0 ** (number - 1))
    return pause * random.uniform(0.5, 1.5)  # noqa: S311 (no secret: it spreads simultaneous retries)


def temporary_refusal(response: httpx2.Response) -> TemporaryFailure | None:
    """The temporary failure that an answer reports; None where a retry would not help."""
    status = response.status_code
    if status != httpx2.codes.TOO_MANY_REQUESTS and status < 500:
        return None
    return TemporaryFailure(status_text(response), retry_after(response.headers.get("Retry-After")))


def status_text(response: httpx2.Response) -> str:
    """The status of an answer in words, without its content."""
    return f"it answered {response.status_code} {response.reason_phrase}".rstrip()


def retry_after(value: str | None) -> float | None:
    """The seconds of a Retry-After header, which holds seconds or a date; None if unreadable."""
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
