"""An indicator from the first draft to its publication: written, tried on a month, published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SignIn
from tests.browser.walking import choose, click, come_to_rest, fill, go_to

if TYPE_CHECKING:
    from deployments.demo.story import Month

NAME, TITLE = "seen-by-telephone", "Women seen"
QUERY = """SELECT count(*) FILTER (WHERE "Gender" = '2') AS numerator, count(*) AS denominator
FROM episodes"""
LOOP = "SELECT count(*) AS numerator, nothing AS denominator FROM episodes"
LONG = 60_000


def write(page: Page, query: str) -> None:
    fill(page, "Title", TITLE)
    fill(page, "What it measures", "The share of women among all who were seen.")
    field = page.get_by_role("textbox", name="Query")
    field.fill(query)
    click(page, "Keep as a draft")
    expect(page.get_by_text("is kept as a draft")).to_be_visible()


def open_editor(page: Page) -> None:
    go_to(page, "Indicators")
    page.get_by_role("tab", name="Write and publish").click()
    come_to_rest(page)


@pytest.mark.slow
def test_an_indicator_is_written_tried_and_published(sign_in: SignIn, submitted: Month) -> None:
    page = sign_in("carys@towerhamlets.example")
    open_editor(page)
    fill(page, "Name, as in a-share-of-all", NAME)
    write(page, LOOP)
    page.reload()
    open_editor(page)
    choose(page, "Indicator", TITLE)
    click(page, "Try it")
    expect(page.get_by_text("undefined column, line 1, character 31")).to_be_visible(timeout=LONG)
    write(page, QUERY)
    page.reload()
    open_editor(page)
    choose(page, "Indicator", TITLE)
    click(page, "Try it")
    expect(page.get_by_text(" of ").last).to_be_visible(timeout=LONG)
    expect(page.get_by_role("button", name="Publish")).to_be_disabled()

    erin = sign_in("erin@grouper.example")
    open_editor(erin)
    choose(erin, "Indicator", TITLE)
    click(erin, "Publish")
    expect(erin.get_by_role("button", name="Publish")).to_have_count(0)
    click(erin, "Retire")
    expect(erin.get_by_role("button", name="Retire")).to_have_count(0)
