"""Wrong files in a browser: what is wrong with each, taken away, put right, undone, remembered."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from core.engine.samples.activity import make_activity
from core.engine.samples.writing import write_activity
from deployments.demo.activity import Slip, with_slip
from tests.browser.conftest import SignIn
from tests.browser.walking import click, come_to_rest, download

if TYPE_CHECKING:
    from deployments.supervisor import Services

LONG = 150_000  # five files, each checked by a process of its own
FIRST, SECOND, SEVERAL = (dt.date(2017, month, 1) for month in (12, 8, 10))
WRONG = Slip("SHHAPT 1", right="T4", wrong="T4A", rows=4)
ODD = Slip("Age", right="20", wrong="190", rows=2)

pytestmark = pytest.mark.slow


def workbook(folder: Path, month: dt.date, *slips: Slip) -> Path:
    activity = make_activity(200, "ZX1", month, seed=month.month)
    for slip in slips:
        activity = with_slip(activity, slip)
    path = folder / f"{month:%B %Y}.xlsx"
    write_activity(activity, path)
    return path


def upload(page: Page, services: Services, month: dt.date, *paths: Path) -> None:
    page.goto(f"{services.portal_url}/upload?provider=ZX1&month={month:%Y-%m}")
    page.get_by_label("Activity files").set_input_files(paths)


def mend(page: Page, wrong: str, code: str) -> None:
    page.get_by_role("combobox", name=re.compile(wrong)).click()
    page.keyboard.type(f"{code}:")
    page.get_by_role("option", name=re.compile(f"^{code}: ")).click()
    click(page, "See what will change")
    page.get_by_role("button", name="Apply and check again").click()


def test_errors_are_taken_away_put_right_undone_and_remembered(
    sign_in: SignIn, services: Services, tmp_path: Path
) -> None:
    page = sign_in("amira@zx1.example")
    upload(page, services, FIRST, workbook(tmp_path, FIRST, WRONG))
    expect(page.get_by_text("4 errors of 1 cause")).to_be_visible(timeout=LONG)
    come_to_rest(page)

    marked = download(page, services.portal_url, "Your file, wrong cells marked")
    sheet = openpyxl.load_workbook(io.BytesIO(marked)).worksheets[0]
    comments = [cell for row in sheet.iter_rows() for cell in row if cell.comment]
    assert [cell.value for cell in comments] == ["T4A"] * 4
    book = openpyxl.load_workbook(
        io.BytesIO(download(page, services.portal_url, "Errors as a workbook"))
    )
    assert book["Rows"].max_row == 5
    text = download(page, services.portal_url, "Errors as csv").decode("utf-8-sig")
    assert [row["value"] for row in csv.DictReader(io.StringIO(text))] == ["T4A"] * 4

    mend(page, "SHHAPT 1: T4A in 4 rows", "T4")
    expect(page.get_by_text("ready", exact=True)).to_be_visible(timeout=LONG)
    come_to_rest(page)
    page.get_by_text("1 correction made").click()
    click(page, "Undo")
    expect(page.get_by_text("4 errors of 1 cause")).to_be_visible(timeout=LONG)
    come_to_rest(page)
    mend(page, "SHHAPT 1: T4A in 4 rows", "T4")
    expect(page.get_by_text("ready", exact=True)).to_be_visible(timeout=LONG)

    upload(page, services, SECOND, workbook(tmp_path, SECOND, WRONG))
    expect(page.get_by_text("T4 is filled in: as you corrected it")).to_be_visible(timeout=LONG)
    click(page, "See what will change")
    expect(page.get_by_text("No error remains.")).to_be_visible()


def test_several_wrong_files_at_once_each_say_what_is_wrong(
    sign_in: SignIn, services: Services, tmp_path: Path
) -> None:
    good = workbook(tmp_path, SEVERAL)
    again = tmp_path / "again.xlsx"
    again.write_bytes(good.read_bytes())
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    letter = tmp_path / "letter.csv"
    letter.write_text("Dear colleague,\nplease find attached\n")
    strange = tmp_path / "strange.csv"
    strange.write_text("Clinic ID,Number,Attendance Date,LSOA\nZX1-A,1,2017-10-02,E01004198\n")
    page = sign_in("amira@zx1.example")
    upload(page, services, SEVERAL, good, again, empty, letter, strange)
    expect(page.get_by_text("This is the same file as").first).to_be_visible(timeout=LONG)
    expect(page.get_by_text("cannot be read", exact=True)).to_have_count(1, timeout=LONG)
    expect(page.get_by_text("headings to confirm", exact=True)).to_have_count(2, timeout=LONG)
    expect(page.get_by_text("ready", exact=True)).to_have_count(2, timeout=LONG)
    come_to_rest(page)
    for name in ("empty.csv", "letter.csv"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    looked_at = page.get_by_text("Look at the headings before it is checked")
    expect(looked_at.first).to_be_visible()
