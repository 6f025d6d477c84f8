"""Reports of every kind and indicators, asked for and read in the portal."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from deployments.demo import story
from tests.browser.conftest import SignIn
from tests.browser.walking import come_to_rest
from tests.small_month import run, small_month

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services

pytestmark = pytest.mark.timeout(600)  # several runs of processes of their own, one after another
MONTH = dt.date(2018, 1, 1)
LONG = 200_000  # milliseconds; a run of its own process starts, works and ends within it


@pytest.fixture(scope="module")
def drafted(populated: Engine, tmp_path_factory: pytest.TempPathFactory) -> story.Month:
    """A draft of a small month of the first provider."""
    return small_month(populated, tmp_path_factory.mktemp("files"), MONTH, "draft", rows=400)


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).first.click()
    page.get_by_role("option", name=option).first.click()


def download_of(page: Page) -> Locator:
    """The link of the report that this test asked for; others may stand beside it.

    While a page is drawn anew, a card still shows what stood at its place before.
    """
    card = page.locator("[class*=st-key-report-]").filter(has_text="Detailed Charges")
    expect(card.first).to_be_visible()
    come_to_rest(page)
    return card.get_by_role("link", name="Download").first


def test_a_report_is_made_downloaded_and_never_given_out_stale(
    sign_in: SignIn, services: Services, populated: Engine, drafted: story.Month
) -> None:
    page = sign_in("amira@zx1.example")
    page.goto(f"{services.portal_url}/reports?month=2018-01")
    choose(page, "Report", "Detailed Charges")
    expect(page.get_by_text("Counts and amounts by month, clinic")).to_be_visible()
    page.get_by_text("And every month, when all have submitted").click()
    page.get_by_role("button", name="Make the report").click()
    link = download_of(page)
    expect(link).to_be_visible(timeout=LONG)
    expect(page.get_by_text("Made every month")).to_be_visible()
    address = f"{services.portal_url}{link.get_attribute('href')}"
    assert page.context.request.get(address).status == 200

    run(populated, drafted, "draft")
    refused = page.context.request.get(address)
    assert (refused.status, "being made anew" in refused.text()) == (410, True)
    page.reload()
    link = download_of(page)
    expect(link).to_be_visible(timeout=LONG)
    again = page.context.request.get(f"{services.portal_url}{link.get_attribute('href')}")
    assert again.status == 200
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Made every month")).to_be_hidden()


def test_figures_have_words_trends_and_others(
    sign_in: SignIn, services: Services, drafted: story.Month
) -> None:
    page = sign_in("amira@zx1.example")
    page.goto(f"{services.portal_url}/kpis")
    expect(page.get_by_role("heading", name="Indicators")).to_be_visible()
    choose(page, "Month", "January 2018")
    card = page.locator(".st-key-kpi-chlamydia-tested")
    expect(card.get_by_text("Tested for chlamydia")).to_be_visible(timeout=LONG)
    expect(card.get_by_role("heading", name="%")).to_be_visible()
    card.get_by_text("Trend, and how it is measured").click()
    expect(card.get_by_text("FROM episodes")).to_be_visible()
    expect(card.locator("canvas, svg").first).to_be_visible()
