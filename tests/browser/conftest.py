"""A real browser: Debian's Chromium, kept from every host but this machine."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

SignIn = Callable[[str], Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "Chromium is missing: `make test` installs it"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield launched
        launched.close()


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
        page.set_default_timeout(60_000)
        page.on("request", lambda request: note_outside(request.url, outside))
        page.goto(services.portal_url)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name=subject).click()
        expect(page.get_by_role("heading", name="Home")).to_be_visible(timeout=60_000)
        return page

    yield signed_in
    for context in contexts:
        context.close()
    assert outside == []


def note_outside(url: str, outside: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
        outside.append(url)
