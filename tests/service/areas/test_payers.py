"""A change of the register that alters who pays for an open month is told, to whom it concerns."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from core.areas.accepting import accept
from core.areas.register_upload import replace_register
from core.areas.sources import load_sources
from core.database import tables
from core.engine.areas.compact import read_shipped
from core.events.outbox import read_event
from core.notifications.notify import notify
from core.vocabulary.event_catalogue import AreaPayerChanged, Event
from deployments.demo.cast import PROVIDERS
from tests.area_source import area_server
from tests.service.areas.crawling import crawl, plan
from tests.service.month import HACKNEY, TOWER_HAMLETS, Service, visit

LEA_VALLEY = PROVIDERS["ZX1"]
LONDON, BOROUGH_OF_TOWER_HAMLETS, BOROUGH_OF_HACKNEY = "E12000007", "E09000030", "E09000012"


def moved(rows: pa.Table, code: str, parent: str) -> pa.Table:
    """The register with one area in another district."""
    here = pc.equal(rows["code"], code)
    parents = pc.if_else(here, parent, rows["parent"].cast(pa.string()))
    place = rows.schema.get_field_index("parent")
    return rows.set_column(place, "parent", parents.dictionary_encode())


def payer_events(engine: Engine) -> list[Event]:
    events = tables.events.c
    query = sa.select(events.name, events.payload).where(events.name == AreaPayerChanged.name)
    with engine.connect() as connection:
        return [read_event(row.name, row.payload) for row in connection.execute(query)]


@pytest.fixture
def month(service: Service) -> int:
    """An open month with two residents of Hackney and one of Tower Hamlets."""
    month = service.month()
    lines = (
        visit(1, "T2", lsoa=HACKNEY),
        visit(2, "T2", lsoa=HACKNEY),
        visit(3, "T2", lsoa=TOWER_HAMLETS),
    )
    service.ready(month, *lines)
    return month


def test_an_open_month_is_told_of_and_a_submitted_one_is_not(service: Service, month: int) -> None:
    rows = moved(read_shipped(), HACKNEY, BOROUGH_OF_TOWER_HAMLETS)
    with service.engine.begin() as connection:
        brought = replace_register(connection, rows, accept_fewer=False)
    assert (brought.moved, brought.months) == (1, 1)
    example = f"{HACKNEY} from {BOROUGH_OF_HACKNEY} to {BOROUGH_OF_TOWER_HAMLETS}"
    assert payer_events(service.engine) == [
        AreaPayerChanged(
            submission_id=month,
            provider="ZX1",
            month="2017-04",
            areas=1,
            records=2,
            example=example,
        )
    ]
    service.run(month, "final")
    with service.engine.begin() as connection:
        assert replace_register(connection, read_shipped(), accept_fewer=False).months == 0


def test_the_provider_and_operators_are_notified(service: Service, month: int) -> None:
    rows = moved(read_shipped(), HACKNEY, BOROUGH_OF_TOWER_HAMLETS)
    with service.engine.begin() as connection:
        replace_register(connection, rows, accept_fewer=False)
        events = tables.events.c
        row = connection.execute(
            sa.select(events.event_id, events.name, events.payload).where(
                events.name == AreaPayerChanged.name
            )
        ).one()
        assert notify(connection, row.event_id, read_event(row.name, row.payload)) >= 2
        titles = connection.execute(
            sa.select(tables.users.c.subject, tables.notifications.c.title).join_from(
                tables.notifications, tables.users
            )
        ).all()
    assert ("amira@zx1.example", "Others pay for some residents of April 2017") in titles
    assert (
        "dev@grouper.example",
        f"Others pay for some residents of {LEA_VALLEY}, April 2017",
    ) in titles


def test_the_spider_tells_of_a_move_too(service: Service, month: int, tmp_path: Path) -> None:
    with area_server() as server:
        source = load_sources(server.write_sources(tmp_path / "sources.yaml"))["statistics"]
        server.change({HACKNEY: ["Hackney 001A", BOROUGH_OF_TOWER_HAMLETS]})
        run_id = plan(service.engine, source, LONDON)
        crawl(service.engine, source, run_id)
        assert payer_events(service.engine) == []  # Hackney has one fewer: a person is to look
        with service.engine.begin() as connection:
            accept(connection, BOROUGH_OF_HACKNEY, user_id=None)
        crawl(service.engine, source, run_id)
    [event] = payer_events(service.engine)
    assert isinstance(event, AreaPayerChanged)
    assert (event.submission_id, event.records) == (month, 2)


def test_a_run_follows_the_register_of_the_spider(service: Service, month: int) -> None:
    from core.areas.register_store import register_in_use

    rows = moved(read_shipped(), HACKNEY, BOROUGH_OF_TOWER_HAMLETS)
    with service.engine.begin() as connection:
        replace_register(connection, rows, accept_fewer=False)
    with service.engine.connect() as connection:
        register = register_in_use(connection)
        assert register is register_in_use(connection)
    found = register.district_of(pa.array([HACKNEY, TOWER_HAMLETS])).to_pylist()
    assert found == [BOROUGH_OF_TOWER_HAMLETS] * 2
