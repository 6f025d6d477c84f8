"""What pages say of a month that is submitted, of a draft, and of one that has errors.

Every page for every kind of subscription is looked at in test_pages_by_role.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from core.access.people import person_of
from core.database.acting import acting_for
from core.engine.samples.one_row_an_activity import SPECIFICATION
from core.operations.dataset_import import NamedText, import_dataset, import_together
from tests.legacy_world import TARIFF
from tests.service.month import APRIL, Service, visit
from tests.service.permissions.permission_pages import page_at, pages_on, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine
    from streamlit.testing.v1 import AppTest

MAY, JUNE = dt.date(2017, 5, 1), dt.date(2017, 6, 1)


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


def look(engine: Engine, user: int, address: str, month: dt.date) -> AppTest:
    with acting_for(engine, user, None).connect() as connection:
        person = person_of(connection, user)
    return page_at(person, address, "ZX1", month)


def test_a_provider_reads_what_to_do(months: Service, pages: Engine) -> None:
    home = look(pages, months.amira, "home", APRIL)
    assert "june.csv has one error to put right." in texts(home)
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
    assert "Found: " in texts(found)
    assert "Nothing has these words." in texts(found.text_input[0].set_value("xyzzy").run())


def test_help_says_which_layouts_have_a_field(service: Service, portal_engine: Engine) -> None:
    with service.engine.begin() as connection:
        import_dataset(connection, SPECIFICATION.read_text(), name="2019")
    with pages_on(portal_engine):
        page = look(portal_engine, service.amira, "help", APRIL)
    assert "version 2019.1" in texts(page)
    assert not page.exception
    fields = page.table[1].value.set_index("Field")
    assert fields.loc["SHHAPT", "In layouts"] == "SRHAD"
    assert fields.loc["Episode_Activity (Episode activity)", "In layouts"] == "GUMCADv3"
    assert fields.loc["Clinic ID", "In layouts"] == "all"
    assert "EpisodeActivity" in list(fields["Also known as"])


def test_a_commissioner_sees_its_year(months: Service, pages: Engine) -> None:
    home = look(pages, months.users["E09000030"], "home", APRIL)
    said = texts(home)
    assert "2017/18, April to March" in said
    assert ":green-badge[1 provider]" in said
    assert "nothing submitted" in said  # for May, which is a draft


def test_a_configuration_is_read_in_sentences_and_searched(months: Service, pages: Engine) -> None:
    page = look(pages, months.users["E09000030"], "configurations", APRIL)
    said = texts(page)
    assert "In force" in said or "For months" in said
    assert "April 2017 by 21 May 2017" in said
    assert "Where T2 and T4 come together, T4 is charged in their place" in said
    [currencies, *parties] = [table.value for table in page.table]
    assert "SHHAPT has T2" in " ".join(currencies["Charged when"])
    assert len(parties) == 2
    found = page.text_input[0].set_value("psychosexual").run()
    assert list(found.table[0].value["Primary"]) == ["£74.00"]


def test_lost_codes_are_shown_to_their_provider(service: Service, portal_engine: Engine) -> None:
    month = service.month()
    service.ready(month, visit(1, "T4"), visit(1, "T7"))
    service.run(month, "final")
    with pages_on(portal_engine):
        own = look(portal_engine, service.amira, "charges", APRIL)
        theirs = look(portal_engine, service.users["E09000030"], "charges", APRIL)
    assert "1 code stood in a slot" in texts(own)
    assert "stood in a slot" not in texts(theirs)


def test_amounts_by_a_shadow_are_marked_as_not_for_charging(
    service: Service, pages: Engine
) -> None:
    shadow = TARIFF.read_text(encoding="utf-8")
    for old, new in (("illustrative-isht-2017-18", "beside"), ("status: live", "status: shadow"),
                     ("2017-04-01", "2018-04-01"), ("2018-03-31", "2019-03-31")):  # fmt: skip
        assert old in shadow
        shadow = shadow.replace(old, new)
    with service.engine.begin() as connection:
        import_together(connection, [NamedText("shadow.yaml", shadow)])
    later = dt.date(2018, 4, 1)
    for month in (APRIL, later):
        number = service.month(month=month)
        service.ready(number, visit(1, "T4", date=f"{month:%Y-%m}-03"))
        service.run(number, "final")
    marked = "By beside (shadow: not for charging). Nobody owes these amounts."
    assert marked in texts(look(pages, service.amira, "charges", later))
    assert marked not in texts(look(pages, service.amira, "charges", APRIL))
