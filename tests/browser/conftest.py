"""A real browser: Debian's Chromium, kept from every host but this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.walking import chromium, sign_in_at

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services

SignIn = Callable[[str], Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def outside() -> list[str]:
    """Requests that a page made to other hosts; the test fails on any."""
    return []


@pytest.fixture
def sign_in(
    browser: Browser, services: Services, populated: Engine, outside: list[str]
) -> Iterator[SignIn]:
    """Opens the portal in a browser of its own and signs somebody in."""
    contexts = []

    def signed_in(subject: str) -> Page:
        context = browser.new_context(
            viewport={"width": 1280, "height": 720}, accept_downloads=True
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: note_outside(request.url, outside))
        sign_in_at(page, services.portal_url, subject)
        return page

    yield signed_in
    for context in contexts:
        context.close()
    assert outside == []


def note_outside(url: str, outside: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
        outside.append(url)
