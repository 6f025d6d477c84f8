"""No page of any role has a fault that axe can see (WCAG 2.2, level AA)."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from deployments.demo.cast import PEOPLE
from tests.browser.conftest import SignIn
from tests.browser.walking import every_page, menu

BY_ROLE = {person.kind: person.subject for person in reversed(PEOPLE)}
LEVELS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")


SLOW = {"operator", "Commissioner"}
"""Whose pages are among those of the others, with few of their own."""


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(subject, id=role, marks=[pytest.mark.slow] if role in SLOW else [])
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


def violations(page: Page) -> list[str]:
    """What axe finds on the page as it is: the rule, and where."""
    options: dict[str, Any] = {"runOnly": {"type": "tag", "values": list(LEVELS)}}
    response = Axe().run(page, options=options).response
    return [
        f"{found['id']}: {node['target']} {node['html'][:160]} {node['failureSummary'][:300]}"
        for found in response["violations"]
        for node in found["nodes"]
    ]
