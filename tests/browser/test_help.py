"""Help and the configurations, read in a browser; the templates are taken away."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import openpyxl
from playwright.sync_api import expect

from tests.browser.conftest import SignIn
from tests.browser.walking import come_to_rest, download, fill, go_to

if TYPE_CHECKING:
    from deployments.supervisor import Services


def test_help_is_searched_and_templates_are_taken_away(sign_in: SignIn, services: Services) -> None:
    page = sign_in("amira@zx1.example")
    go_to(page, "Help")
    fill(page, "Search", "chlamydia test")
    expect(page.get_by_text("Found: ")).to_be_visible()
    page.get_by_role("tab", name="Data set and templates").click()
    book = openpyxl.load_workbook(
        io.BytesIO(download(page, services.portal_url, "Template as a workbook"))
    )
    headings = [cell.value for cell in book["Activity"][1]]
    assert len(book["Activity"].data_validations.dataValidation) > 10
    csv = download(page, services.portal_url, "Template as csv").decode("utf-8-sig")
    assert csv.strip().split(",") == headings

    page.get_by_role("link", name="Read the configurations").click()
    expect(page.get_by_role("heading", name="Configurations", level=1)).to_be_visible()
    come_to_rest(page)
    expect(page.get_by_text("SHHAPT has T2 (").first).to_be_visible()
    page.get_by_role("tab", name="Combinations").click()
    expect(page.get_by_text("Where T2 and T4 come together")).to_be_visible()
