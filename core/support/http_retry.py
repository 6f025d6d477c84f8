"""Asking a service over HTTP again where that may help: later each time, and not before it wants.

What fails for a while (no connection, a timeout, 429, 5xx, half an answer) is ``NotYet``; anything
else that an attempt raises ends the asking.
"""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx

LONGEST_PAUSE = 60.0
T = TypeVar("T")


class NotYet(Exception):
    """An attempt that failed and may be repeated; ``seconds`` is what the service asked for."""

    def __init__(self, text: str, seconds: float | None = None) -> None:
        super().__init__(text)
        self.seconds = seconds


class NoAnswer(Exception):
    """No answer after every attempt; the text says what the last one met."""


@dataclass(frozen=True)
class Patience:
    """How often and how long a service is asked again."""

    attempts: int
    pause: (
        float  # seconds before the second attempt; each further one doubles it, give or take half
    )
    longest_wait: float  # the longest Retry-After that is waited for, in seconds


def until_answered(
    attempt: Callable[[], T],
    patience: Patience,
    heed: Callable[[float], None] = lambda _: None,
) -> T:
    """What ``attempt`` gives in the end; raises ``NoAnswer``.

    ``heed`` hears of the seconds for which the service wants to be left alone.
    """
    for number in range(1, patience.attempts + 1):
        try:
            return attempt()
        except NotYet as error:
            wanted = error.seconds or 0
            if number == patience.attempts or wanted > patience.longest_wait:
                raise NoAnswer(f"{error}, {number} times") from error
            if error.seconds is not None:
                heed(error.seconds)
            time.sleep(_pause(patience, number) if error.seconds is None else error.seconds)
    raise AssertionError("there is at least one attempt")


def _pause(patience: Patience, number: int) -> float:
    pause = min(LONGEST_PAUSE, patience.pause * 2.0 ** (number - 1))
    return pause * random.uniform(0.5, 1.5)  # noqa: S311 (no secret: it parts who asks at once)


def refused_for_now(response: httpx.Response) -> NotYet | None:
    """The failure of an answer that may be another one later; None where it will not be."""
    status = response.status_code
    if status != httpx.codes.TOO_MANY_REQUESTS and status < 500:
        return None
    return NotYet(said(response), retry_after(response.headers.get("Retry-After")))


def said(response: httpx.Response) -> str:
    """What the service said, without its content."""
    return f"it answered {response.status_code} {response.reason_phrase}".rstrip()


def retry_after(value: str | None) -> float | None:
    """Seconds until the service wants to be asked again: it says so in seconds or as a date."""
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
