"""A provider's own headings: shown before the check, changed, confirmed, and not asked again."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import xlsxwriter
from playwright.sync_api import Page, expect

from core.engine.samples.activity import make_activity
from tests.browser.walking import click

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from deployments.supervisor import Services
    from tests.browser.conftest import SignIn

MONTH = dt.date(2017, 12, 1)
LONG = 60_000
OWN = {"Gender": "Sex", "SHHAPT 12": "Remarks of the clinic"}
"""What the provider calls two columns: the one is an alias, the other could be anything."""


def write(activity: pa.Table, path: Path, own: dict[str, str]) -> Path:
    from pyarrow import csv

    names = [own.get(name, name) for name in activity.column_names]
    csv.write_csv(activity.rename_columns(names), path)
    return path


def upload(page: Page, path: Path) -> None:
    page.get_by_label("Activity files").set_input_files(path)


def test_new_headings_are_shown_before_the_check_and_remembered(
    sign_in: SignIn, services: Services, tmp_path: Path
) -> None:
    page = sign_in("amira@zx1.example")
    page.goto(f"{services.portal_url}/upload?provider=ZX1&month={MONTH:%Y-%m}")
    activity = make_activity(120, "ZX1", MONTH, seed=12)

    upload(page, write(activity, tmp_path / "ours.csv", OWN))
    expect(page.get_by_text("headings to confirm", exact=True)).to_be_visible(timeout=LONG)
    sex = page.get_by_role("combobox", name="Sex")
    expect(sex).to_have_value("Gender")
    page.get_by_role("combobox", name="Remarks of the clinic").click()
    page.keyboard.type("SHHAPT 12")
    page.get_by_role("option", name="SHHAPT 12", exact=True).click()
    page.get_by_text("headings known").click()
    expect(page.get_by_role("combobox", name="Patient ID")).to_have_value("Patient ID")
    click(page, "Check with these headings")
    expect(page.get_by_text("ready", exact=True)).to_be_visible(timeout=LONG)

    upload(page, write(activity.slice(0, 60), tmp_path / "ours again.csv", OWN))
    expect(page.get_by_text("ready", exact=True)).to_have_count(2, timeout=LONG)

    page.get_by_text("Show me the headings before these files are checked").click()
    expect(page.locator('[data-look="true"]')).to_be_visible(timeout=LONG)
    upload(page, write(activity.slice(60), tmp_path / "plain.csv", {}))
    expect(page.get_by_text("headings to confirm", exact=True)).to_be_visible(timeout=LONG)
    click(page, "Check with these headings")
    expect(page.get_by_text("ready", exact=True)).to_have_count(3, timeout=LONG)


def test_one_code_a_row_is_proposed_before_the_check(
    sign_in: SignIn, services: Services, tmp_path: Path
) -> None:
    page = sign_in("ben@zx2.example")
    page.goto(f"{services.portal_url}/upload?provider=ZX2&month={MONTH:%Y-%m}")
    lines = [
        "Clinic ID,Patient ID,Attendance Date,LSOA,Gender,Episode_Activity",
        *(f"ZX2-A,P{n},2017-12-04,E01004198,1,{code}" for n in range(9) for code in ("T4", "P1A")),
    ]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(lines) + "\n")
    upload(page, path)
    expect(page.get_by_text("This file seems to hold one activity code a row.")).to_be_visible(
        timeout=LONG
    )
    click(page, "Read it so")
    expect(page.get_by_text("ready", exact=True)).to_be_visible(timeout=LONG)
    expect(page.get_by_text("18 records")).to_be_visible()


def test_the_row_of_the_headings_is_chosen_where_a_title_stands_above(
    sign_in: SignIn, services: Services, tmp_path: Path
) -> None:
    page = sign_in("ben@zx2.example")
    page.goto(f"{services.portal_url}/upload?provider=ZX2&month=2018-02")
    lines = [
        "Activity report January 2018",
        "",
        "Clinic ID,Patient ID,Attendance Date,LSOA,SHHAPT 1",
        *(f"ZX2-A,P{n},2018-02-04,E01004198,T4" for n in range(3)),
    ]
    path = tmp_path / "titled.csv"
    path.write_text("\n".join(lines) + "\n")
    upload(page, path)
    expect(page.get_by_text("headings to confirm", exact=True)).to_be_visible(timeout=LONG)
    expect(page.get_by_role("combobox", name="Row of the headings")).to_have_value(
        re.compile(r"^3: Clinic ID \| Patient ID")
    )
    click(page, "Take the headings from this row")
    expect(page.get_by_text("ready", exact=True)).to_be_visible(timeout=LONG)
    sentence = "3 rows in the file: 3 read, 0 in error, 0 left out"
    expect(page.get_by_text(sentence)).to_be_visible()


def test_the_sheet_that_is_read_is_chosen(
    sign_in: SignIn, services: Services, tmp_path: Path
) -> None:
    page = sign_in("amira@zx1.example")
    page.goto(f"{services.portal_url}/upload?provider=ZX1&month=2017-10")
    activity = make_activity(40, "ZX1", dt.date(2017, 10, 1), seed=3)
    path = tmp_path / "two sheets.xlsx"
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as book:
        for name in ("October", "Late"):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, activity.column_names)
            for at, row in enumerate(activity.to_pylist(), start=1):
                for column, (heading, value) in enumerate(row.items()):
                    day = heading == "Attendance Date"
                    sheet.write(at, column, dt.date.fromisoformat(value) if day else value)

    upload(page, path)
    told = page.get_by_text("The sheet “Late” holds records too").first
    expect(told).to_be_visible(timeout=LONG)
    page.get_by_role("combobox", name="Sheet that is read").click()
    page.get_by_role("option", name="Late", exact=True).click()
    click(page, "Read this sheet, and check again")
    expect(page.get_by_text("ready", exact=True)).to_be_visible(timeout=LONG)
