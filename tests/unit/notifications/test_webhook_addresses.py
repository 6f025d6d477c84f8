"""Webhooks lead to where nobody can do harm through us; a reach follows from the name alone."""

from __future__ import annotations

import pytest

from core.notifications.sending import ATTEMPTS, pause_after
from core.notifications.webhook import refuse_unsafe
from core.settings import Settings, use_settings
from core.user_errors import UserError


@pytest.mark.parametrize(
    ("url", "public_url"),
    [
        ("http://receiver.example/", None),
        ("http://10.0.0.1/", None),
        ("ftp://127.0.0.1/", None),
        ("https://user@receiver.example/", None),
        ("https:///path", None),
        ("https://[::1", None),
        ("nonsense", None),
        ("http://127.0.0.1:4200/api", "https://grouper.example"),
        ("https://[::1]/", "https://grouper.example"),
        ("https://10.0.0.1/", "https://grouper.example"),
        ("https://169.254.169.254/latest", "https://grouper.example"),
        ("https://localhost/", "https://grouper.example"),
    ],
)
def test_unsafe_addresses_are_refused(url: str, public_url: str | None) -> None:
    use_settings(Settings(public_url=public_url))
    with pytest.raises(UserError):
        refuse_unsafe(url)
    use_settings(None)


@pytest.mark.parametrize(
    ("url", "public_url"),
    [
        ("https://receiver.example/a?b=c", "https://grouper.example"),
        ("https://receiver.example:8443/", None),
        ("https://93.184.216.34/", None),
        ("https://[2606:2800:220:1:248:1893:25c8:1946]/", None),
    ],
)
def test_others_are_not(url: str, public_url: str | None) -> None:
    use_settings(Settings(public_url=public_url))
    refuse_unsafe(url)
    use_settings(None)


def test_pauses_grow_to_an_hour() -> None:
    assert 3 < pause_after(1) < 7
    assert 2700 <= pause_after(ATTEMPTS) <= 4500
