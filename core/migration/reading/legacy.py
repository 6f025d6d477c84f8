"""A client of the old service over HTTP, with user name, password and a security header.

Temporary failures are retried with growing pauses, and never before a Retry-After. No message
contains a credential or a value of a row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2

from core.settings import Settings
from core.support.http_retry import (
    NoAnswer,
    RetryPolicy,
    TemporaryFailure,
    retry_until_answered,
    status_text,
    temporary_refusal,
)
from core.user_errors import UserError

LONGEST_WAIT = 300.0
"""The longest Retry-After that is respected, in seconds."""
REFUSING = (401, 403)
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class LegacyUnavailable(UserError):
    """No complete answer after the last attempt, or one that refuses the request itself."""


class CredentialsRefused(UserError):
    """The old service refuses our credentials."""

    def __init__(self) -> None:
        super().__init__(
            "the old service refuses our name, password or security header (GROUPER_LEGACY_USER, "
            "GROUPER_LEGACY_PASSWORD, GROUPER_LEGACY_HEADER): renew them, then `grouper migrate "
            "run` goes on where it stopped"
        )


@dataclass(frozen=True)
class LegacyEndpoint:
    """Where the old service is, how to sign in, and how often and how long to ask."""

    url: str
    user: str
    password: str = field(repr=False)
    header: tuple[str, str] = field(repr=False)
    seconds: float  # until an answer must have come
    attempts: int
    pause: float  # seconds before the second attempt; doubles each time, ± 50 %
    page: int
    max_requests: int

    @classmethod
    def of(cls, settings: Settings) -> LegacyEndpoint:
        """The endpoint of the settings; raises ``UserError`` where they are incomplete."""
        if settings.legacy_url is None:
            raise UserError("GROUPER_LEGACY_URL is not set: it says where the old service is")
        secrets = (settings.legacy_password, settings.legacy_header)
        if settings.legacy_user is None or None in secrets:
            raise UserError(
                "set GROUPER_LEGACY_USER, GROUPER_LEGACY_PASSWORD and GROUPER_LEGACY_HEADER: "
                "the old service asks for all three"
            )
        password, header = (secret.get_secret_value() for secret in secrets if secret is not None)
        return cls(
            _safe(settings.legacy_url),
            settings.legacy_user,
            password,
            _header(header),
            settings.legacy_timeout,
            settings.legacy_attempts,
            settings.legacy_pause,
            settings.legacy_page,
            settings.legacy_requests,
        )


def _safe(url: str) -> str:
    """The URL, which must use TLS unless it stays on this machine."""
    place = urlsplit(url)
    if place.scheme == "https" or (place.scheme == "http" and place.hostname in LOOPBACK):
        return url.rstrip("/")
    raise UserError("GROUPER_LEGACY_URL must begin with https://")


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition(":")
    if not separator or not name.strip() or not value.strip():
        raise UserError("GROUPER_LEGACY_HEADER must read Name: value")
    return name.strip(), value.strip()


class LegacyClient(AbstractContextManager["LegacyClient"]):
    """A client of the old service, safe for threads; a context manager."""

    def __init__(self, endpoint: LegacyEndpoint) -> None:
        self.endpoint = endpoint
        self._client = httpx2.Client(
            base_url=f"{endpoint.url}/api/",
            auth=(endpoint.user, endpoint.password),
            timeout=endpoint.seconds,
            limits=httpx2.Limits(max_connections=endpoint.max_requests),
            headers={"Accept": "application/json", endpoint.header[0]: endpoint.header[1]},
        )

    def close(self) -> None:
        self._client.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, path: str, parameters: Mapping[str, Any], list_key: str) -> tuple[str, Any]:
        """An answer that holds a list under ``list_key``: its text, and the parsed document.

        Raises ``LegacyUnavailable`` or ``CredentialsRefused``.
        """
        policy = RetryPolicy(self.endpoint.attempts, self.endpoint.pause, LONGEST_WAIT)
        try:
            return retry_until_answered(lambda: self._attempt(path, parameters, list_key), policy)
        except NoAnswer as error:
            raise LegacyUnavailable(f"the old service did not give {path}: {error}") from error

    def _attempt(self, path: str, parameters: Mapping[str, Any], list_key: str) -> tuple[str, Any]:
        try:
            response = self._client.get(path, params=dict(parameters))
        except httpx2.RequestError as error:
            raise TemporaryFailure(f"it did not answer ({type(error).__name__})") from error
        if response.status_code in REFUSING:
            raise CredentialsRefused
        if response.status_code != httpx2.codes.OK:
            refused = f"the old service refuses the question {path}: {status_text(response)}"
            raise temporary_refusal(response) or LegacyUnavailable(refused)
        try:
            document = json.loads(response.content, parse_constant=_no_json)
            if not isinstance(document[list_key], list):
                raise TypeError
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise TemporaryFailure(
                "its answer is not whole JSON, or not what was asked for"
            ) from error
        return response.content.decode("utf-8", "replace"), document


def _no_json(text: str) -> float:
    """Refuses NaN and the infinities, which are not JSON."""
    raise ValueError(text)
