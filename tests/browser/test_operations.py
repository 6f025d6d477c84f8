"""What an operator sees and does on the operations page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from core.events.catalogue import RunFailed
from core.events.outbox import raise_event
from tests.browser.conftest import SignIn

if TYPE_CHECKING:
    from sqlalchemy import Engine


def test_queues_logs_and_rules(sign_in: SignIn, populated: Engine) -> None:
    failed = RunFailed(failed_subject="file/99", failed_title="x", attempts=3, reason="seen here")
    with populated.begin() as connection:
        raise_event(connection, failed)
    page = sign_in("dev@grouper.example")
    page.get_by_role("link", name="Operations").click()
    expect(page.get_by_role("heading", name="Queues")).to_be_visible()
    for name in ("checks", "submissions", "reports", "spiders", "housekeeping"):
        expect(page.get_by_text(name, exact=True)).to_be_visible()

    pause = page.locator(".st-key-queue-spiders").get_by_role("button")
    pause.click()
    expect(page.get_by_text("paused", exact=True)).to_be_visible()
    expect(pause).to_have_text("Resume")
    pause.click()
    expect(page.get_by_text("paused", exact=True)).to_have_count(0)

    page.get_by_role("tab", name="Logs").click()
    page.get_by_label("Text").fill("SEEN")
    page.keyboard.press("Enter")
    expect(page.get_by_text("run.failed: x: seen here").first).to_be_visible()

    page.get_by_role("tab", name="Rules").click()
    expect(page.get_by_text("run check-file, in its turn on its queue").first).to_be_visible()


def test_others_have_no_such_page(sign_in: SignIn, services: object) -> None:
    page = sign_in("amira@zx1.example")
    links = page.get_by_test_id("stSidebarNav").get_by_role("link")
    expect(links.filter(has_text="Operations")).to_have_count(0)
    page.goto(f"{services.portal_url}/operations")  # type: ignore[attr-defined]
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    expect(page.get_by_role("heading", name="Queues")).to_have_count(0)
