"""What a user is told in the portal, and how they choose what they are told of."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from core.database.tables import users
from core.events.outbox import raise_event
from core.notifications.inbox import mark_read
from core.vocabulary.event_catalogue import DeadlinesNear, MonthDue
from tests.browser.conftest import SignIn

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services

BEN = "ben@zx2.example"


def digest(user_id: int, day: str, *months: str) -> DeadlinesNear:
    due = [
        MonthDue(provider="ZX2", provider_name="Thames *Reach*", month=month, due=day, days_left=2)
        for month in months
    ]
    return DeadlinesNear(addressee=user_id, day=day, months=tuple(due))


def test_what_happened_and_what_one_is_told_of(
    sign_in: SignIn, services: Services, populated: Engine
) -> None:
    with populated.begin() as connection:
        ben = connection.execute(select(users.c.id).where(users.c.subject == BEN)).scalar_one()
        mark_read(connection, ben)  # what other tests led to
        raise_event(connection, digest(ben, "2017-05-21", "2017-04"))
        raise_event(connection, digest(ben, "2017-06-21", "2017-04", "2017-05"))
    page = sign_in(BEN)
    link_once_counted(page, "Notifications (2)", services).click()

    newest = page.get_by_text("2 months are to be submitted")
    expect(newest).to_be_visible()
    expect(
        page.get_by_text("Thames *Reach*, May 2017: due in 2 days, 21 June 2017.")
    ).to_be_visible()
    look(page, "inbox")
    page.get_by_role("button", name="Mark as read").first.click()
    expect(link(page, "Notifications (1)")).to_be_visible()
    page.get_by_role("button", name="Mark all as read").click()
    expect(link(page, "Notifications")).to_be_visible()
    expect(page.get_by_role("button", name="Mark as read")).to_have_count(0)

    page.get_by_role("tab", name="What you are told of").click()
    look(page, "choices")
    page.get_by_text("By webhook").first.click()
    page.get_by_role("button", name="Keep these choices").click()
    expect(page.get_by_text("Kept.")).to_be_visible()
    page.get_by_label("Address").fill("http://receiver.example")
    page.get_by_role("button", name="Keep this address").click()
    expect(page.get_by_text("is not encrypted")).to_be_visible()


def link_once_counted(page: Page, name: str, services: Services) -> Locator:
    """The link, once the relay has written what the page is to count."""
    for _ in range(60):
        page.goto(services.portal_url)
        expect(link(page, "Home")).to_be_visible()
        if link(page, name).count():
            break
    return link(page, name)


def link(page: Page, name: str) -> Locator:
    return page.get_by_role("link", name=re.compile(rf"^{re.escape(name)}$"))


def look(page: Page, name: str) -> None:
    folder = os.environ.get("GROUPER_TEST_SCREENSHOTS")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
