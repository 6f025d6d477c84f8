"""A submitted month is opened again in the portal: asked for, refused, asked for again, granted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import Locator, Page, expect

from deployments.demo import story
from deployments.demo.cast import PROVIDERS
from tests.browser.conftest import SUBMITTED, SignIn

if TYPE_CHECKING:
    from deployments.supervisor import Services

LEA_VALLEY = PROVIDERS["ZX1"]
SOON = 20_000  # milliseconds; a notification is there once the relay has heard of the event


def hosted(page: Page, month: story.Month) -> Locator:
    page.get_by_role("link", name="Hosted months").click()
    expect(page.get_by_role("heading", name="Hosted months")).to_be_visible()
    return page.locator(f".st-key-hosted-E09000030-{month.submission_id}")


def ask(page: Page, month: story.Month, reason: str) -> None:
    card = hosted(page, month)
    card.get_by_text("Ask for this month to be opened again").click()
    card.get_by_label("Why").fill(reason)
    card.get_by_role("button", name="Ask").click()
    expect(card.get_by_text("An administrator decides.")).to_be_visible()


def expect_notification(page: Page, services: Services, title: str) -> None:
    page.goto(f"{services.portal_url}/notifications")
    expect(page.get_by_text(title, exact=True)).to_be_visible(timeout=SOON)


def decide(page: Page, services: Services, answer: str, button: str) -> None:
    page.goto(f"{services.portal_url}/resets")
    expect(page.get_by_text("November 2017").first).to_be_visible()
    page.get_by_label("Answer").fill(answer)
    page.get_by_role("button", name=button).click()


def test_from_the_asking_to_an_open_month(
    sign_in: SignIn, services: Services, submitted: story.Month
) -> None:
    carys, erin = sign_in("carys@towerhamlets.example"), sign_in("erin@grouper.example")
    ask(carys, submitted, "Two clinics lack.")
    expect_notification(
        erin, services, f"Tower Hamlets asks to open November 2017 of {LEA_VALLEY} again"
    )
    decide(erin, services, "", "Refuse")
    expect(erin.get_by_text("Say why the month stays as it is.")).to_be_visible()
    decide(erin, services, "Both had no patients.", "Refuse")
    expect(erin.get_by_text("Nobody asks for a month.")).to_be_visible()

    expect_notification(carys, services, f"November 2017 of {LEA_VALLEY} stays submitted")
    expect(hosted(carys, submitted).get_by_text("Both had no patients.")).to_be_visible()
    ask(carys, submitted, "They had.")
    decide(erin, services, "", "Open the month again")
    expect(erin.get_by_text("Nobody asks for a month.")).to_be_visible()

    expect_notification(carys, services, f"November 2017 of {LEA_VALLEY} is open again")
    expect(hosted(carys, submitted)).to_have_count(0)
    amira = sign_in("amira@zx1.example")
    expect_notification(amira, services, "November 2017 is open again")
    amira.goto(f"{services.portal_url}/submission?provider=ZX1&month={SUBMITTED:%Y-%m}")
    expect(amira.get_by_role("button", name="Run as draft")).to_be_visible()


def test_who_may_not_has_no_such_page(sign_in: SignIn, services: Services) -> None:
    page = sign_in("amira@zx1.example")
    for address in ("hosted", "resets"):
        page.goto(f"{services.portal_url}/{address}")
        expect(page.get_by_role("heading", name="Home")).to_be_visible()
