"""What an administrator does: an organisation, its user and subscription, the invoice, a clinic."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import openpyxl
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from core.accounts.organisations import find_organisation
from core.database import tables
from tests.browser.conftest import SignIn
from tests.browser.walking import choose, click, come_to_rest, download, fill, go_to

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services

CODE, NAME = "E09000033", "Westminster"
WHO = "gwen@westminster.example"
CLINIC = "ZX2-NEW"


def test_from_an_organisation_to_its_invoice(
    sign_in: SignIn, services: Services, populated: Engine
) -> None:
    find_a_new_clinic(populated)
    page = sign_in("erin@grouper.example")
    expect(page.get_by_text("without a host authority")).to_be_visible()
    go_to(page, "Accounts")
    add_organisation(page)
    add_user(page)
    quote_and_invoice(page)
    read_invoice(page, services)
    place_clinic(page)
    page.keyboard.press("Escape")  # closes what was opened over the page
    go_to(page, "Audit")
    fill(page, "What", "clinic placed")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    assert host_of(populated) == CODE


def find_a_new_clinic(engine: Engine) -> None:
    """As the check of a file does that names one."""
    with engine.begin() as connection:
        provider = find_organisation(connection, "provider", "ZX2").id
        connection.execute(tables.clinics.insert().values(provider_id=provider, clinic_id=CLINIC))


def host_of(engine: Engine) -> str | None:
    clinics = tables.clinics.c
    query = sa.select(clinics.commissioner).where(clinics.clinic_id == CLINIC)
    with engine.connect() as connection:
        return connection.execute(query).scalar_one()


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()
    come_to_rest(page)


def unfold(page: Page, name: str) -> None:
    page.get_by_text(name, exact=True).click()
    come_to_rest(page)


def add_organisation(page: Page) -> None:
    open_tab(page, "Organisations")
    unfold(page, "Add an organisation")
    choose(page, "Kind", "commissioner")
    fill(page, "Code", CODE)
    fill(page, "Name", NAME)
    click(page, "Add")
    expect(page.get_by_text(f"{NAME} ({CODE})")).to_be_visible()


def add_user(page: Page) -> None:
    open_tab(page, "Users")
    unfold(page, "Add a user")
    fill(page, "Name", "Gwen Hughes")
    fill(page, "E-mail", WHO)
    fill(page, "What the sign-in calls them", WHO)
    click(page, "Add")
    expect(page.get_by_text("No role today. Never signed in.").first).to_be_visible()


def quote_and_invoice(page: Page) -> None:
    open_tab(page, "Subscriptions")
    unfold(page, "Quote a subscription")
    choose(page, "Kind", "Commissioner")
    choose(page, "For", "Gwen Hughes")
    choose(page, "Organisation", NAME)
    click(page, "Quote")
    expect(page.get_by_text("Gwen Hughes: Commissioner")).to_be_visible()
    click(page, "Invoice")
    expect(page.get_by_text("Gwen Hughes: Commissioner")).to_be_visible()


def read_invoice(page: Page, services: Services) -> None:
    open_tab(page, "Invoices")
    expect(page.get_by_text(f", {NAME}, £").first).to_be_visible()
    book = openpyxl.load_workbook(io.BytesIO(download(page, services.portal_url, "Download")))
    cells = [str(cell) for row in book.active.iter_rows(values_only=True) for cell in row]
    assert any(NAME in cell for cell in cells)


def place_clinic(page: Page) -> None:
    open_tab(page, "Clinics")
    fill(page, "Search", CLINIC)
    click(page, "Change")
    choose(page, "Host authority", f"{NAME} ({CODE})")
    click(page, "Keep")
    expect(page.get_by_text(f"Hosted by {NAME}")).to_be_visible()
