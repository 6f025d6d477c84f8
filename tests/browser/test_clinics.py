"""Clinics on the map and in the table, by keyboard, and the way to their charges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.conftest import SignIn
from tests.browser.walking import come_to_rest

if TYPE_CHECKING:
    from deployments.supervisor import Services


def test_a_square_of_the_map_leads_to_its_clinics(sign_in: SignIn, services: Services) -> None:
    page = sign_in("ben@zx2.example")
    page.goto(f"{services.portal_url}/clinics")
    come_to_rest(page)
    square = page.get_by_role("button", name="Hackney: 1 clinic")
    square.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 clinic hosted by Hackney")).to_be_visible()
    expect(square).to_be_focused()
    link = page.get_by_role("table").get_by_role("link", name="See its charges")
    address = str(link.get_attribute("href"))
    assert address.startswith("/charges?provider=ZX2&clinic=ZX2-")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 clinic hosted by Hackney")).to_have_count(0)
    page.goto(f"{services.portal_url}{address}")
    expect(page.get_by_role("heading", name="Charges", level=1)).to_be_visible()
