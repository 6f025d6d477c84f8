"""Ten thousand errors of forty causes are cleared in fewer than sixty clicks."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from playwright.sync_api import Locator, Page, expect

from core.engine.samples.activity import make_activity
from core.engine.samples.writing import write_activity
from tests.browser.conftest import SignIn
from tests.browser.walking import come_to_rest

if TYPE_CHECKING:
    from deployments.supervisor import Services

CAUSES, ROWS_EACH = 40, 250
MONTH = dt.date(2017, 9, 1)
LONG = 90_000
COUNT_CLICKS = """() => {
    window.clicks = 0;
    document.addEventListener('click', (event) => { window.clicks += event.isTrusted }, true);
}"""


def spoilt_file(folder: Path) -> Path:
    """Forty codes that nobody knows, in 250 rows each."""
    activity = make_activity(CAUSES * ROWS_EACH, "ZX1", MONTH, seed=9)
    at = activity.column_names.index("SHHAPT 1")
    wrong = np.repeat([f"Q{number}X" for number in range(10, 10 + CAUSES)], ROWS_EACH)
    path = folder / "spoilt.csv"
    write_activity(activity.set_column(at, "SHHAPT 1", pa.array(wrong)), path)
    return path


@pytest.mark.slow  # half a minute on a machine of its own
def test_forty_causes_in_fewer_than_sixty_clicks(
    sign_in: SignIn, services: Services, tmp_path: Path
) -> None:
    page = sign_in("amira@zx1.example")
    page.goto(f"{services.portal_url}/upload?provider=ZX1&month={MONTH:%Y-%m}")
    page.get_by_label("Activity files").set_input_files(spoilt_file(tmp_path))
    expect(page.get_by_text("10,000 errors of 40 causes")).to_be_visible(timeout=LONG)
    come_to_rest(page)
    page.evaluate(COUNT_CLICKS)
    for field in page.get_by_role("combobox", name=re.compile(r"SHHAPT 1: Q\d\dX")).all():
        choose(page, field)
    page.get_by_role("button", name="See what will change").click()
    expect(page.get_by_text("No error remains.")).to_be_visible()
    page.get_by_role("button", name="Apply and check again").click()
    expect(page.get_by_text("Every file is ready.")).to_be_visible(timeout=LONG)
    assert 40 <= page.evaluate("window.clicks") < 60


def choose(page: Page, field: Locator) -> None:
    """One click, then the code by keyboard."""
    field.click()
    page.keyboard.type("T4:")
    expect(page.get_by_role("option", name=re.compile("^T4: "))).to_be_visible()
    page.keyboard.press("Enter")
