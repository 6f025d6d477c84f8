"""Pages in states that pass: files that are wrong, wait to be looked at, or are being mended."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, expect

from core.engine.samples.activity import make_activity
from core.engine.samples.writing import write_activity
from deployments.demo.activity import Slip, with_slip
from tests.browser.walking import PATIENCE, click, come_to_rest

PROVIDER = "ZX1"
CHARGED, WRONG, NEW = (dt.date(2017, month, 1) for month in (4, 5, 6))
"""The month that the demonstration submits, and two that it leaves untouched."""
SLIPS = (
    Slip("SHHAPT 1", right="T4", wrong="T4A", rows=9),
    Slip("Gender", right="2", wrong="Female", rows=6),
    Slip("Clinic ID", right="ZX1-B", wrong="ZX1-NEW", rows=30),
    Slip("Age", right="20", wrong="190", rows=2),
    Slip("Contraceptive Main Method", right="2", wrong="", rows=3),
)
OWN = {"Gender": "Sex", "SHHAPT 12": "Remarks of the clinic"}
"""What the clinic calls two of its columns."""


def passing_states(page: Page, url: str, folder: Path) -> Iterator[str]:
    """Brings the page of somebody of the provider into one state after the other, and names it."""
    _open(page, url, "charges", CHARGED)
    _choose_first_charge(page)
    yield "Charges with one opened"
    _upload(page, url, WRONG, wrong_file(folder))
    expect(page.get_by_text("has errors", exact=True)).to_be_visible(timeout=PATIENCE)
    come_to_rest(page)
    yield "Upload with errors"
    page.get_by_role("combobox", name=re.compile("SHHAPT 1: T4A")).click()
    page.keyboard.type("T4:")
    page.get_by_role("option", name=re.compile("^T4: ")).click()
    click(page, "See what will change")
    yield "Upload with what will change"
    _open(page, url, "submission", WRONG)
    yield "Submission that is not ready"
    _open(page, url, "upload", WRONG)
    click(page, "Remove")
    _upload(page, url, NEW, file_with_new_headings(folder))
    expect(page.get_by_text("headings to confirm", exact=True)).to_be_visible(timeout=PATIENCE)
    come_to_rest(page)
    yield "Upload with headings to confirm"
    click(page, "Remove")


def _choose_first_charge(page: Page) -> None:
    """The table is a picture: the box of its first row lies where it is drawn."""
    table = page.locator(".st-key-charge-table")
    table.scroll_into_view_if_needed()
    place = table.bounding_box()
    assert place is not None
    page.mouse.click(place["x"] + 16, place["y"] + 52)
    expect(page.locator(".st-key-why").get_by_text("Who pays", exact=True)).to_be_visible()
    come_to_rest(page)


def wrong_file(folder: Path) -> Path:
    """A file with slips, a new clinic and a warning."""
    activity = make_activity(800, PROVIDER, WRONG, seed=5)
    for slip in SLIPS:
        activity = with_slip(activity, slip)
    path = folder / "Lea Valley May 2017.csv"
    write_activity(activity, path)
    return path


def file_with_new_headings(folder: Path) -> Path:
    """A file whose headings were never said for the provider."""
    activity = make_activity(400, PROVIDER, NEW, seed=6)
    names = [OWN.get(name, name) for name in activity.column_names]
    path = folder / "Lea Valley June 2017.csv"
    write_activity(activity.rename_columns(names), path)
    return path


def _upload(page: Page, url: str, month: dt.date, path: Path) -> None:
    _open(page, url, "upload", month)
    page.get_by_label("Activity files").set_input_files(path)


def _open(page: Page, url: str, address: str, month: dt.date) -> None:
    page.goto(f"{url}/{address}?provider={PROVIDER}&month={month:%Y-%m}")
    come_to_rest(page)
