"""What a provider and a commissioner do in the portal, in a real browser."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import openpyxl
import pytest
from playwright.sync_api import Page, expect

from core.engine.samples.activity import make_activity
from core.engine.samples.writing import write_activity
from deployments.demo.activity import Slip, with_slip
from tests.browser.conftest import SignIn
from tests.browser.walking import sign_out

if TYPE_CHECKING:
    from deployments.supervisor import Services

LONG = 90_000  # milliseconds; a run of its own process starts, works and ends within it


def activity_file(folder: Path, month: dt.date, *slips: Slip) -> Path:
    activity = make_activity(800, "ZX1", month, seed=month.month)
    for slip in slips:
        activity = with_slip(activity, slip)
    path = folder / f"{month:%B %Y}.csv"
    write_activity(activity, path)
    return path


def go_to(page: Page, services: Services, address: str, month: dt.date) -> None:
    page.goto(f"{services.portal_url}/{address}?provider=ZX1&month={month:%Y-%m}")


def test_a_month_from_upload_to_download(
    sign_in: SignIn, services: Services, tmp_path: Path
) -> None:
    month = dt.date(2017, 6, 1)
    page = sign_in("amira@zx1.example")

    go_to(page, services, "upload", month)
    path = activity_file(
        tmp_path,
        month,
        Slip("SHHAPT 1", right="T4", wrong="T4A", rows=4),
        Slip("Clinic ID", right="ZX1-B", wrong="ZX1-NEW", rows=30),
    )
    page.get_by_label("Activity files").set_input_files(path)
    expect(page.get_by_text("has errors", exact=True)).to_be_visible(timeout=LONG)
    expect(page.get_by_text("4 errors of 1 cause")).to_be_visible()

    page.get_by_role("combobox", name=re.compile("SHHAPT 1: T4A in 4 rows")).click()
    page.keyboard.type("T4:")
    page.get_by_role("option", name=re.compile("^T4: ")).click()
    page.get_by_role("button", name="See what will change").click()
    expect(page.get_by_text("No error remains.")).to_be_visible()
    page.get_by_role("button", name="Apply and check again").click()
    expect(page.get_by_text("ready", exact=True)).to_be_visible(timeout=LONG)

    page.get_by_role("link", name="Go to the submission").click()
    expect(page.get_by_text("Clinic ZX1-NEW is new.")).to_be_visible()
    page.get_by_role("combobox", name="ZX1-NEW").click()
    page.keyboard.type("Hackney")
    page.get_by_role("option", name="Hackney (E09000012)").click()
    page.get_by_role("button", name="Place these clinics").click()
    page.get_by_role("button", name="Run as draft").click()
    expect(page.get_by_text("is being calculated")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("Draft run, number 1")).to_be_visible(timeout=LONG)

    page.get_by_role("link", name="Get the Backing Data").click()
    page.get_by_role("button", name="Make the report").click()
    link = page.get_by_role("link", name="Download").first
    expect(link).to_be_visible(timeout=LONG)
    with page.context.expect_event("page") as opened, page.expect_popup():
        link.click()
    del opened
    address = link.get_attribute("href")
    assert address
    answer = page.context.request.get(f"{services.portal_url}{address}")
    assert answer.status == 200
    saved = tmp_path / "report.xlsx"
    saved.write_bytes(answer.body())
    assert openpyxl.load_workbook(saved).sheetnames == ["Summary", "Backing Data", "Notes"]


def test_a_link_opens_for_its_own_user_only(sign_in: SignIn, services: Services) -> None:
    from core.files.links import make_link

    ben = sign_in("ben@zx2.example")
    token = make_link("reports/1/x.xlsx", "x.xlsx", user_id=1_000_000)
    refused = ben.context.request.get(f"{services.portal_url}/download/{token}")
    assert (refused.status, "made for somebody else" in refused.text()) == (403, True)
    stranger = httpx2.get(f"{services.portal_url}/download/{token}")
    assert stranger.status_code == 403
    altered = ben.context.request.get(f"{services.portal_url}/download/{token}x")
    assert altered.status == 404
    expired = make_link("reports/1/x.xlsx", "x.xlsx", user_id=1, seconds=0)
    assert ben.context.request.get(f"{services.portal_url}/download/{expired}").status == 410


def test_nobody_uploads_without_signing_in_or_without_a_ticket(
    sign_in: SignIn, services: Services
) -> None:
    url = f"{services.portal_url}/api/upload?name=a.csv"
    assert httpx2.put(url, content=b"x").status_code == 403
    ben = sign_in("ben@zx2.example")
    assert ben.context.request.put(url, data=b"x").status == 403


def test_a_file_that_is_no_activity_says_so(
    sign_in: SignIn, services: Services, tmp_path: Path
) -> None:
    picture = tmp_path / "activity.xlsx"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    page = sign_in("amira@zx1.example")
    go_to(page, services, "upload", dt.date(2017, 7, 1))
    page.get_by_label("Activity files").set_input_files(picture)
    expect(page.get_by_text("cannot be read", exact=True)).to_be_visible(timeout=LONG)


def test_a_commissioner_sees_no_provider_pages(sign_in: SignIn, services: Services) -> None:
    page = sign_in("carys@towerhamlets.example")
    links = page.get_by_test_id("stSidebarNav").get_by_role("link")
    names = [link.split(" (")[0] for link in links.all_inner_texts()]
    assert {"Home", "Hosted months", "Reports", "My subscription"} <= set(names)
    assert not {"Upload", "Submission", "Accounts", "Audit", "Operations"} & set(names)
    page.goto(f"{services.portal_url}/upload")
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    expect(page.get_by_label("Activity files")).to_have_count(0)
    page.goto(f"{services.portal_url}/home")  # as the links of digests say
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    expect(page.get_by_text("Page not found")).to_have_count(0)


def test_a_cookie_is_worth_nothing_after_sign_out(sign_in: SignIn, services: Services) -> None:
    page = sign_in("dev@grouper.example")
    cookies = page.context.cookies()
    sign_out(page)
    page.context.clear_cookies()
    page.context.add_cookies(cookies)
    page.goto(services.portal_url)
    expect(page.get_by_text("You have been signed out. Sign in again.")).to_be_visible()


@pytest.mark.parametrize("address", ["", "upload", "submission", "reports"])
def test_a_stranger_is_shown_the_way_in(
    address: str, services: Services, browser: object, sign_in: SignIn
) -> None:
    from playwright.sync_api import Browser

    assert isinstance(browser, Browser)
    page = browser.new_page()
    page.goto(f"{services.portal_url}/{address}")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("Page not found")).to_have_count(0)
    page.close()
