"""Every page fits a tablet, held either way, and all of it is reached by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import SignIn
from tests.browser.walking import BY_ROLE, come_to_rest, menu

SIZES = {"landscape": (1024, 768), "portrait": (768, 1024)}
WIDER = """() => {
    const main = document.querySelector('[data-testid="stMain"]');
    return main.scrollWidth - main.clientWidth;
}"""
WATCH = """() => {
    const found = new Set();
    const look = (root) => {
        // A shadow root of its own: moves of the focus within it are not heard outside.
        root.addEventListener('focusin', (event) => found.delete(event.composedPath()[0]), true);
        for (const each of root.querySelectorAll('*')) {
            if (each.shadowRoot) look(each.shadowRoot);
            const can = each.matches('a[href], button, input, textarea, select, summary');
            const other = each.type === 'radio' && !each.checked;
            if (can && !other && !each.disabled && each.tabIndex >= 0 && each.checkVisibility()
                && !each.closest('[aria-hidden="true"], [inert]')) found.add(each);
        }
    };
    look(document.querySelector('[data-testid="stMain"]'));
    window.unreached = found;
    return found.size;
}"""
LEFT = "() => [...window.unreached].filter((each) => each.isConnected).map((e) => e.outerHTML)"
MOST_AT_ONCE = 400


def addresses(page: Page) -> list[str]:
    """Of every page that the menu offers."""
    return [str(link.get_attribute("href")) for link in menu(page).all()]


@pytest.mark.slow  # every page is loaded twice
@pytest.mark.parametrize("subject", BY_ROLE.values(), ids=BY_ROLE)
def test_every_page_fits_a_tablet(sign_in: SignIn, subject: str) -> None:
    page = sign_in(subject)
    too_wide = {}
    for address in addresses(page):
        for name, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            page.goto(address)
            come_to_rest(page)
            if (wider := page.evaluate(WIDER)) > 0:
                too_wide[address, name] = wider
    assert too_wide == {}


@pytest.mark.slow  # a key for each thing on each page
@pytest.mark.parametrize("subject", BY_ROLE.values(), ids=BY_ROLE)
def test_all_is_reached_by_keyboard(sign_in: SignIn, subject: str) -> None:
    page = sign_in(subject)
    unreached = {}
    for address in addresses(page):
        page.goto(address)
        come_to_rest(page)
        if left := not_reached(page):
            unreached[address] = left
    assert unreached == {}


def not_reached(page: Page) -> list[str]:
    """What the Tab key does not come to, as HTML."""
    things = page.evaluate(WATCH)
    for _ in range(min(3 * things + 60, MOST_AT_ONCE)):
        page.keyboard.press("Tab")
        if not (left := page.evaluate(LEFT)):
            return []
    return [each[:200] for each in left]
