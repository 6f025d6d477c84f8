"""The page Migration: a dry run, then all of it, what is in error and why, report and signature;
and what was taken over on the pages of others."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr

from core.database.engine import engine as engine_of
from core.settings import Settings, settings, use_settings
from core.support.processes import free_port
from deployments.demo.cast import PEOPLE
from deployments.demo.openid_provider import openid_provider
from deployments.demo.run import import_demo_data
from deployments.supervisor import Services
from tests.browser.walking import come_to_rest, sign_in_at
from tests.legacy_server import HEADER, PASSWORD, USER
from tests.legacy_source import OldService, old_service

if TYPE_CHECKING:
    from playwright.sync_api import Locator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
"""Services of their own: what is taken over would be in the way of other tests."""
LONG = 120_000
"""Milliseconds: a migration takes its turn on its queue, and its process starts."""


@pytest.fixture(scope="module")
def old() -> Iterator[OldService]:
    with old_service("--providers", "1", "--months", "2", "--records", "60") as running:
        yield running


@pytest.fixture(scope="module")
def migrating(open_folder: Path, old: OldService) -> Iterator[Services]:
    before = settings()
    with openid_provider(PEOPLE) as metadata_url:
        wanted = Settings(
            home=open_folder / "migration-page",
            prefect_port=free_port(),
            portal_port=free_port(),
            oidc_metadata_url=metadata_url,
            oidc_client_id="portal",
            oidc_client_secret=SecretStr("a secret of the tests"),
            legacy_url=old.url,
            legacy_user=USER,
            legacy_password=SecretStr(PASSWORD),
            legacy_header=SecretStr(": ".join(HEADER)),
        )
        with Services(wanted) as running:
            use_settings(wanted)
            database = engine_of(running.database_url)
            import_demo_data(database)
            yield running
            database.dispose()
            use_settings(before)


@pytest.fixture
def page(browser: Browser, migrating: Services) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        sign_in_at(page, migrating.portal_url, "dev@grouper.example")
        page.get_by_role("link", name="Migration").click()
        come_to_rest(page)
        yield page


def ended(page: Page, number: int) -> Locator:
    """The card of the last migration, once it has ended."""
    card = page.locator(".st-key-last-migration")
    expect(card.get_by_text(f"Migration {number}").first).to_be_visible(timeout=LONG)
    expect(card.get_by_text("complete with errors", exact=True).first).to_be_visible(timeout=LONG)
    return card


def test_a_dry_run_then_all_of_it_its_report_and_its_signature(
    page: Page, migrating: Services, old: OldService
) -> None:
    page.get_by_role("button", name="Dry run").click()
    card = ended(page, 1)
    expect(card.get_by_text("Nothing was written: this is what a migration would")).to_be_visible()
    expect(card.get_by_role("region", name="The migration, table by table")).to_be_visible()
    failed = int(
        card.get_by_test_id("stMetric").filter(has_text="In error").inner_text().split()[-1]
    )
    assert failed >= len(old.bad)  # and what stands here already
    expect(card.get_by_text(f"{failed} rows could not be taken over")).to_be_visible()
    expect(page.get_by_role("button", name="Sign off")).to_have_count(0)
    expect(page.get_by_role("link", name="Pathways")).to_have_count(0)

    page.get_by_role("button", name="Take over now").click()
    card = ended(page, 2)
    expect(card.get_by_text("Rows, money and content of every table agree")).to_be_visible()
    expect(card.get_by_role("region", name="The migration, table by table")).to_be_visible()
    card.get_by_text("Row by row").click()
    expect(card.get_by_role("region", name="Rows in the error queue")).to_be_visible()

    link = card.get_by_role("link", name="Report of migration 2")
    answer = page.context.request.get(f"{migrating.portal_url}{link.get_attribute('href')}")
    book = openpyxl.load_workbook(io.BytesIO(answer.body()), read_only=True)
    reasons = [row[-1] for row in book["Rows in error"].iter_rows(min_row=2, values_only=True)]
    assert len(reasons) == failed
    assert "kind: it is none of the known codes" in reasons

    card.get_by_label("Note").fill("looked at every sheet")
    card.get_by_role("button", name="Sign off").click()
    expect(card.get_by_text("Signed by Dev")).to_be_visible()
    expect(page.get_by_role("button", name="Sign off")).to_have_count(0)


def test_what_was_taken_over_can_be_looked_at(page: Page) -> None:
    page.reload()
    come_to_rest(page)
    page.get_by_role("link", name="Pathways").click()
    expect(page.get_by_role("heading", name="Pathways", level=1)).to_be_visible()
    expect(page.get_by_role("region", name="The steps of Pathway 0")).to_be_visible()
    expect(page.get_by_text("50 minutes")).to_be_visible()
    page.get_by_role("tab", name="Prices").click()
    expect(page.get_by_role("region", name="Prices of consumables by version")).to_be_visible()
