"""The page Areas: anybody looks areas up; an operator crawls, and decides of what is held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.area_source import AreaServer, area_server
from tests.browser.conftest import SignIn

if TYPE_CHECKING:
    from deployments.supervisor import Services

CITY = "E09000001"
LONG = 60_000
"""Milliseconds: a crawl takes its turn on its queue, and its process starts."""


@pytest.fixture
def server(services: Services) -> Iterator[AreaServer]:
    with area_server() as running:
        assert services.settings.area_sources is not None
        running.write_sources(services.settings.area_sources)
        yield running


def test_an_area_is_looked_up(sign_in: SignIn) -> None:
    page = sign_in("amira@zx1.example")
    page.get_by_role("link", name="Areas").click()
    field = page.get_by_label("Code or name")
    field.fill("E07000026")
    field.press("Enter")
    expect(page.get_by_role("heading", name="Allerdale (E07000026)")).to_be_visible()
    expect(page.get_by_text("In its place today: Cumberland (E06000063)")).to_be_visible()
    expect(page.get_by_text("Cumbria (E10000006), county").first).to_be_visible()
    expect(page.get_by_text("Responsible authority")).to_be_visible()
    field.fill("Allerdale 001A")
    field.press("Enter")
    expect(page.get_by_role("heading", name="Allerdale 001A (E01019126)")).to_be_visible()
    expect(page.get_by_text("Cumberland (E06000063), unitary authority").first).to_be_visible()
    expect(page.get_by_role("tab", name="Crawls of the spider")).to_have_count(0)


@pytest.mark.slow
def test_an_operator_crawls_and_accepts_what_is_held(sign_in: SignIn, server: AreaServer) -> None:
    server.change({"E01000001": None})
    page = sign_in("dev@grouper.example")
    page.get_by_role("link", name="Areas").click()
    page.get_by_role("tab", name="Crawls of the spider").click()
    page.get_by_label("Only within").fill(CITY)
    page.get_by_role("button", name="Crawl now").click()
    held = "has 5 areas within City of London where the register has 6"
    expect(page.get_by_text(held)).to_be_visible(timeout=LONG)
    expect(page.get_by_text("complete with errors", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Accept the answer").click()
    expect(page.get_by_text("complete", exact=True).first).to_be_visible(timeout=LONG)
    expect(page.get_by_text(held)).to_have_count(0)
    server.restore()
