"""The page Charges in a browser: filtered, and one charge opened to see why it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SUBMITTED, SignIn
from tests.browser.walking import PATIENCE, choose, come_to_rest

if TYPE_CHECKING:
    from deployments.demo.story import Month
    from deployments.supervisor import Services


def open_charges(page: Page, services: Services) -> None:
    page.goto(f"{services.portal_url}/charges?provider=ZX1&month={SUBMITTED:%Y-%m}")
    expect(page.get_by_role("heading", name="Charges one by one")).to_be_visible()
    come_to_rest(page)


@pytest.mark.slow
def test_a_charge_says_why_it_is_there(
    sign_in: SignIn, services: Services, submitted: Month
) -> None:
    page = sign_in("amira@zx1.example")
    open_charges(page, services)
    choose(page, "Currency", "T4")
    table = page.locator(".st-key-charge-table")
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 16, box["y"] + 52)  # the box of the first row
    why = page.locator(".st-key-why")
    expect(why.get_by_role("heading", name="is charged")).to_be_visible(timeout=PATIENCE)
    for title in ("What fired", "The rate", "The factor", "Who pays"):
        expect(why.get_by_text(title, exact=True)).to_be_visible()
    expect(why.get_by_text("The market forces factor of Lea Valley")).to_be_visible()
    expect(why.get_by_text("The episode, merged from")).to_be_visible()
