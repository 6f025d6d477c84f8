"""Asks the old service over HTTP: who asks is known by name, password and a security header.

What fails for a while is asked again, later each time, and not before a Retry-After. Neither what
opens the door nor what a row holds is ever part of a message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from core.settings import Settings
from core.support.http_retry import (
    NoAnswer,
    NotYet,
    Patience,
    refused_for_now,
    said,
    until_answered,
)
from core.user_errors import UserError

LONGEST_WAIT = 300.0
"""The longest Retry-After that is heeded, in seconds."""
SHUT = (401, 403)
AT_HOME = ("127.0.0.1", "::1", "localhost")


class LegacyAway(UserError):
    """No whole answer after every attempt, or one that says the question itself is wrong."""


class CredentialsRefused(UserError):
    """The old service does not let us in, or no longer."""

    def __init__(self) -> None:
        super().__init__(
            "the old service refuses our name, password or security header (GROUPER_LEGACY_USER, "
            "GROUPER_LEGACY_PASSWORD, GROUPER_LEGACY_HEADER): renew them, then `grouper migrate "
            "run` goes on where it stopped"
        )


@dataclass(frozen=True)
class Door:
    """Where the old service is, and how it is treated."""

    url: str
    user: str
    password: str = field(repr=False)
    header: tuple[str, str] = field(repr=False)
    seconds: float  # until an answer must have come
    attempts: int
    pause: float  # before the second attempt; each further one doubles it, give or take half
    page: int
    at_once: int

    @classmethod
    def of(cls, settings: Settings) -> Door:
        """As the settings say; raises ``UserError`` where they are not whole."""
        if settings.legacy_url is None:
            raise UserError("GROUPER_LEGACY_URL is not set: it says where the old service is")
        secrets = (settings.legacy_password, settings.legacy_header)
        if settings.legacy_user is None or None in secrets:
            raise UserError(
                "set GROUPER_LEGACY_USER, GROUPER_LEGACY_PASSWORD and GROUPER_LEGACY_HEADER: "
                "the old service asks for all three"
            )
        password, header = (each.get_secret_value() for each in secrets if each is not None)
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
    """Passwords travel over TLS, or do not leave the machine."""
    place = urlsplit(url)
    if place.scheme == "https" or (place.scheme == "http" and place.hostname in AT_HOME):
        return url.rstrip("/")
    raise UserError("GROUPER_LEGACY_URL must begin with https://")


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition(":")
    if not separator or not name.strip() or not value.strip():
        raise UserError("GROUPER_LEGACY_HEADER must read Name: value")
    return name.strip(), value.strip()


class Legacy(AbstractContextManager["Legacy"]):
    """A client of the old service for many threads; a context manager."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self._client = httpx.Client(
            base_url=f"{door.url}/api/",
            auth=(door.user, door.password),
            timeout=door.seconds,
            limits=httpx.Limits(max_connections=door.at_once),
            headers={"Accept": "application/json", door.header[0]: door.header[1]},
        )

    def close(self) -> None:
        self._client.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, path: str, parameters: Mapping[str, Any], wanted: str) -> tuple[str, Any]:
        """An answer that holds a list under ``wanted``: its text, and what it reads as.

        Raises ``LegacyAway`` or ``CredentialsRefused``.
        """
        patience = Patience(self.door.attempts, self.door.pause, LONGEST_WAIT)
        try:
            return until_answered(lambda: self._attempt(path, parameters, wanted), patience)
        except NoAnswer as error:
            raise LegacyAway(f"the old service did not give {path}: {error}") from error

    def _attempt(self, path: str, parameters: Mapping[str, Any], wanted: str) -> tuple[str, Any]:
        try:
            response = self._client.get(path, params=dict(parameters))
        except httpx.RequestError as error:
            raise NotYet(f"it did not answer ({type(error).__name__})") from error
        if response.status_code in SHUT:
            raise CredentialsRefused
        if response.status_code != httpx.codes.OK:
            refused = f"the old service refuses the question {path}: {said(response)}"
            raise refused_for_now(response) or LegacyAway(refused)
        try:
            document = json.loads(response.content, parse_constant=_no_json)
            if not isinstance(document[wanted], list):
                raise TypeError
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise NotYet("its answer is not whole JSON, or not what was asked for") from error
        return response.content.decode("utf-8", "replace"), document


def _no_json(text: str) -> float:
    """NaN and the infinities, which some write and JSON does not have."""
    raise ValueError(text)
