"""Walks through the portal as somebody does: signs in, goes from page to page, waits for each."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from deployments.demo.cast import EVERYBODY

BY_ROLE = {f"{person.kind}, {person.side}": person.subject for person in reversed(EVERYBODY)}
"""Somebody of each kind of subscription, on either side."""
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AT_REST = '[data-testid="stApp"][data-test-script-state="notRunning"]'
"""The page when Streamlit has drawn all of it."""
PATIENCE = 60_000
"""Milliseconds, on a machine that is busy."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, kept from calling home."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "Chromium is missing: `make test` installs it"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield launched
        launched.close()


def sign_in_at(page: Page, url: str, subject: str) -> None:
    """From the front page to Home, by the local sign-in."""
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=subject).click()
    expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible(timeout=PATIENCE)
    come_to_rest(page)


def sign_out(page: Page) -> None:
    """Out of the portal and of the local sign-in, which asks once more, back to the way in."""
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=PATIENCE)


def every_page(page: Page) -> Iterator[str]:
    """Goes to each page that the menu offers, one after the other, and gives its name."""
    names = [re.sub(r" \(\d+\)$", "", link.inner_text()) for link in menu(page).all()]
    for number, name in enumerate(names):
        menu(page).nth(number).click()
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible(timeout=PATIENCE)
        come_to_rest(page)
        yield name


def tabs(page: Page) -> Iterator[str]:
    """Opens each tab of a page in turn; a page without has one."""
    names = page.get_by_role("tab").all_inner_texts()
    for name in names:
        page.get_by_role("tab", name=name, exact=True).first.click()
        come_to_rest(page)
        yield name
    if not names:
        yield "as it is"


def menu(page: Page) -> Locator:
    """The links of the side bar."""
    return page.get_by_test_id("stSidebarNav").get_by_role("link")


def come_to_rest(page: Page) -> None:
    """Waits until the page is drawn: its heading is there, nothing is stale."""
    expect(page.locator(AT_REST)).to_be_attached(timeout=PATIENCE)
    expect(page.get_by_role("heading", level=1).first).to_be_visible(timeout=PATIENCE)
    expect(page.locator('[data-stale="true"]')).to_have_count(0, timeout=PATIENCE)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PATIENCE)


def go_to(page: Page, name: str) -> None:
    """To the page of that name, by the menu."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible(timeout=PATIENCE)
    come_to_rest(page)


def choose(page: Page, label: str, option: str | re.Pattern[str]) -> None:
    """Chooses an option of a drop-down."""
    page.get_by_role("combobox", name=label).first.click()
    if isinstance(option, str):
        page.keyboard.type(option)  # a long list draws but those in view
    page.get_by_role("option", name=option).first.click()
    come_to_rest(page)


def click(page: Page, name: str) -> None:
    """Presses a button, and waits for what comes of it."""
    page.get_by_role("button", name=name, exact=True).first.click()
    come_to_rest(page)


def fill(page: Page, label: str, text: str) -> None:
    """Types into a field and leaves it, so that the page hears of it."""
    field = page.get_by_role("textbox", name=label, exact=True).first
    field.fill(text)
    field.press("Tab")
    come_to_rest(page)


def download(page: Page, url: str, name: str) -> bytes:
    """What the link of that name gives, as the browser of the page gets it."""
    link = page.get_by_role("link", name=name).first
    expect(link).to_be_visible(timeout=PATIENCE)
    address = link.get_attribute("href") or ""
    answer = page.context.request.get(address if "://" in address else f"{url}{address}")
    assert answer.status == 200, answer.text()
    return answer.body()
