"""What was taken over from the old service, on the pages of those whom it concerns."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.access.people import person_of
from core.database import tables
from core.database.acting import acting_for
from core.kpis.catalogue import published_kpis, take_over_kpi
from core.kpis.definitions import Kpi
from core.kpis.measuring import Measurement
from core.kpis.results import store_result
from tests.service.month import APRIL, Service, visit
from tests.service.permissions.permission_pages import page_at, pages_on, shown, texts

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from streamlit.testing.v1 import AppTest

PATHWAY = """
    INSERT INTO pathways VALUES (1, 'HIV self-sampling');
    INSERT INTO pathway_steps VALUES (2, 1, 1, 'Result by text', 5), (1, 1, NULL, 'Kit', 10);
    INSERT INTO consumables VALUES (1, 'Kit', 'piece');
    INSERT INTO step_consumables VALUES (1, 1, 1, 2);
    INSERT INTO consumable_prices VALUES
        (1, 1, 1, 4.50, '2016-04-01', '2017-03-31'), (2, 1, 2, 5.25, '2017-04-01', NULL)
"""


def page_of(engine: Engine, user: int, address: str) -> AppTest:
    with acting_for(engine, user, None).connect() as connection:
        person = person_of(connection, user)
    return page_at(person, address, "ZX1", APRIL)


def offered(engine: Engine, user: int) -> list[str]:
    with acting_for(engine, user, None).connect() as connection:
        return shown(person_of(connection, user))


def test_pathways_are_a_page_for_all_once_there_are_some(
    service: Service, portal_engine: Engine
) -> None:
    people = [service.users[name] for name in ("ZX1", "E09000030", "None")]
    with pages_on(portal_engine):
        assert not any("pathways" in offered(portal_engine, user) for user in people)
        with service.engine.begin() as connection:
            connection.exec_driver_sql(PATHWAY, execution_options={"no_parameters": True})
        for user in people:
            page = page_of(portal_engine, user, "pathways")
            assert not page.exception, page.exception
            steps, prices = (each.value for each in page.dataframe)
            assert list(steps["Step"]) == ["Kit", "Result by text"]
            assert list(steps["After"]) == ["", "Kit"]
            assert list(steps["Uses"]) == ["2 × Kit (piece)", ""]
            assert [each.value for each in page.metric] == ["15 minutes", "£10.50"]
            assert list(prices["To"]) == ["31 March 2017", ""]
        page = page.date_input[0].set_value(dt.date(2016, 5, 1)).run()
        assert [each.value for each in page.metric] == ["15 minutes", "£9.00"]
        page = page.date_input[0].set_value(dt.date(2016, 3, 1)).run()
        assert "Without a price on that day: Kit." in page.warning[0].value


def test_the_portal_writes_no_pathway(service: Service, portal_engine: Engine) -> None:
    user = service.users["None"]
    refused = pytest.raises(sa.exc.ProgrammingError, match="permission denied")
    with refused, acting_for(portal_engine, user).connect() as connection:
        connection.execute(tables.pathways.insert().values(name="Mine"))


def test_figures_of_the_old_service_are_marked(service: Service, portal_engine: Engine) -> None:
    month = service.month()
    service.ready(month, visit(1, "T4"))
    run_id = service.run(month, "draft")
    waits = Kpi(kpi="old-1-waits", title="Waits", description="There.", taken_over=True,
                old_query="SELECT 7")  # fmt: skip
    with service.engine.begin() as connection:
        [first, *_] = published_kpis(connection, "sexual-health")
        kept = take_over_kpi(connection, "sexual-health", waits)
        store_result(connection, run_id, first.id, Measurement(Decimal(8), Decimal(4)))
        for kpi_id in (first.id, kept):
            store_result(connection, run_id, kpi_id, Measurement(Decimal(8), Decimal(16)))
        connection.execute(
            tables.kpi_results.update()
            .where(tables.kpi_results.c.kpi_id == kept)
            .values(taken_over=True)
        )
    with pages_on(portal_engine):
        page = page_of(portal_engine, service.amira, "kpis")
        page.session_state["how-old-1-waits"] = True
        page.run()
    assert not page.exception, page.exception
    said = texts(page)
    assert said.count("as the old service measured it") == 1
    assert "Figures of the old service: 1 month, April 2017." in said
    assert "The old service measured it; nothing here does." in said
    assert "SELECT 7" in [each.value for each in page.code]
