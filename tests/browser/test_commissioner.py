"""What a commissioner does: sees a month that came in, looks at its charges, gets the report."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import openpyxl
import sqlalchemy as sa
from playwright.sync_api import expect

from core.database import tables
from tests.browser.conftest import SignIn
from tests.browser.walking import PATIENCE, choose, download, go_to

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.demo.story import Month
    from deployments.supervisor import Services

CODE, NAME = "E09000030", "Tower Hamlets"


def charged(engine: Engine, month: Month) -> tuple[int, int]:
    """Charges and pence of the month to the commissioner, as the database has them."""
    charges, months = tables.charges.c, tables.submissions
    query = (
        sa.select(sa.func.count(), sa.func.sum(charges.amount_pence))
        .join(months, months.c.run_id == charges.run_id)
        .where(months.c.id == month.submission_id, charges.commissioner == CODE)
    )
    with engine.connect() as connection:
        count, pence = connection.execute(query).one()
    return count, int(pence)


def test_from_a_hosted_month_to_the_download(
    sign_in: SignIn, services: Services, populated: Engine, submitted: Month
) -> None:
    count, pence = charged(populated, submitted)
    page = sign_in("carys@towerhamlets.example")
    expect(page.get_by_role("heading", name=f"Charged to {NAME}")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("link", name="November").click()
    expect(page.get_by_role("heading", name="Charges", level=1)).to_be_visible()
    figures = page.get_by_test_id("stMetricValue")
    expect(figures.nth(0)).to_have_text(f"£{pence / 100:,.2f}", timeout=PATIENCE)
    expect(figures.nth(1)).to_have_text(f"{count:,}")

    go_to(page, "Hosted months")
    card = page.locator(f".st-key-hosted-{CODE}-{submitted.submission_id}")
    expect(card.get_by_text("Lea Valley Sexual Health")).to_be_visible()

    go_to(page, "Reports")
    choose(page, "Report", "Backing Data")
    choose(page, "From", "November 2017")
    choose(page, "To", "November 2017")
    page.get_by_role("button", name="Make the report").click()
    book = openpyxl.load_workbook(io.BytesIO(download(page, services.portal_url, "Download")))
    assert book["Backing Data"].max_row - 1 == count
