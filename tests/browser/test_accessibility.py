"""No page of any role has a fault that axe can see (WCAG 2.2, level AA)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import SUBMITTED, SignIn
from tests.browser.walking import BY_ROLE, come_to_rest, every_page, menu, tabs

if TYPE_CHECKING:
    from deployments.demo.story import Month
    from deployments.supervisor import Services

LEVELS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")

QUICK = {"Provider+, provider", "administrator, service"}
"""Whose pages are among them nearly all that there are."""


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(subject, id=role, marks=[] if role in QUICK else [pytest.mark.slow])
        for role, subject in BY_ROLE.items()
    ],
)
def test_axe_finds_nothing(sign_in: SignIn, subject: str) -> None:
    page = sign_in(subject)
    assert {name: found for name in every_page(page) if (found := violations(page))} == {}


def test_the_menu_works_by_keyboard(sign_in: SignIn) -> None:
    page = sign_in("amira@zx1.example")
    menu(page).nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Upload", level=1)).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("subject", list(BY_ROLE.values()), ids=list(BY_ROLE))
def test_axe_finds_nothing_where_everything_is_open(
    sign_in: SignIn, services: Services, submitted: Month, subject: str
) -> None:
    """Every tab of every page, with what can be unfolded unfolded, about a month with charges."""
    page = sign_in(subject)
    found = {}
    for name in every_page(page):
        if name in ABOUT_A_MONTH:
            page.goto(f"{page.url.partition('?')[0]}?provider=ZX1&month={SUBMITTED:%Y-%m}")
            come_to_rest(page)
        for tab in tabs(page):
            unfold(page)
            found[f"{name}, {tab}"] = violations(page)
    assert {place: wrong for place, wrong in found.items() if wrong} == {}


ABOUT_A_MONTH = {"Upload", "Submission", "Charges", "Reports"}


def unfold(page: Page) -> None:
    """Opens what can be opened on the page, up to a few of a kind."""
    for summary in page.locator("details:not([open]) > summary").all()[:4]:
        if summary.is_visible():
            summary.click()
    come_to_rest(page)


def violations(page: Page) -> list[str]:
    """What axe finds on the page as it is: the rule, and where."""
    options: dict[str, Any] = {"runOnly": {"type": "tag", "values": list(LEVELS)}}
    response = Axe().run(page, options=options).response
    return [
        f"{found['id']}: {node['target']} {node['html'][:160]} {node['failureSummary'][:300]}"
        for found in response["violations"]
        for node in found["nodes"]
    ]
