"""Each page for each role, with a month that is submitted, a draft, and one that has errors."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from core.accounts.people import person_of
from core.database.acting import acting_for
from tests.service.month import APRIL, Service, visit
from tests.service.permission_pages import page_at, pages_on, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine
    from streamlit.testing.v1 import AppTest

MAY, JUNE = dt.date(2017, 5, 1), dt.date(2017, 6, 1)
PAGES = {
    "ZX1": "home upload submission charges reports kpis notifications areas subscription help",
    "E09000030": "home charges hosted reports kpis notifications areas subscription help",
}


@pytest.fixture
def months(service: Service) -> Service:
    april, may, june = (service.month(month=month) for month in (APRIL, MAY, JUNE))
    service.ready(april, *(visit(number, "T4") for number in range(30)))
    service.run(april, "final")
    service.ready(may, visit(1, "T4", date="2017-05-03"))
    service.run(may, "draft")
    service.check(service.upload(june, visit(1, "T4A", date="2017-06-03"), name="june.csv"))
    return service


@pytest.fixture
def pages(portal_engine: Engine) -> Iterator[Engine]:
    with pages_on(portal_engine):
        yield portal_engine


def texts(page: AppTest) -> str:
    return " ".join(str(each.value) for each in (*page.markdown, *page.caption, *page.info))


def look(engine: Engine, user: int, address: str, month: dt.date) -> AppTest:
    with acting_for(engine, user, None).connect() as connection:
        person = person_of(connection, user)
    return page_at(person, address, "ZX1", month)


@pytest.mark.parametrize("organisation", PAGES)
def test_every_page_of_a_role_can_be_looked_at(
    months: Service, pages: Engine, organisation: str
) -> None:
    user = months.users[organisation]
    with acting_for(pages, user, None).connect() as connection:
        offered = shown(person_of(connection, user))
    assert set(PAGES[organisation].split()) <= set(offered)
    for address in offered:
        page = look(pages, user, address, APRIL)
        assert page.title, address


def test_a_provider_reads_what_to_do(months: Service, pages: Engine) -> None:
    home = look(pages, months.amira, "home", APRIL)
    assert "june\\.csv has one error to put right\\." in texts(home)
    assert "May 2017 is a draft" in texts(home)
    errors = look(pages, months.amira, "upload", JUNE)
    assert [box.label for box in errors.selectbox][-2:] == ["SHHAPT 1: T4A in 1 row", "Rows with"]
    draft = look(pages, months.amira, "submission", MAY)
    assert "97 % less than April 2017" in texts(draft)
    assert "Tower Hamlets" in texts(draft)


def test_charges_are_filtered(months: Service, pages: Engine) -> None:
    page = look(pages, months.amira, "charges", APRIL)
    assert page.metric[1].value == "30"
    box = next(box for box in page.selectbox if box.label == "Currency")
    assert not box.select(box.options[0]).run().exception


def test_help_is_searched(months: Service, pages: Engine) -> None:
    page = look(pages, months.users["E09000030"], "help", APRIL)
    before = len(page.markdown)
    found = page.text_input[0].set_value("password").run()
    assert 0 < len(found.markdown) < before
    assert any("password" in each.value for each in found.markdown)
