"""The register changes as its source does: names, moves, ends, successors, and whose payers."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from core.access.scope import EVERYTHING
from core.areas.accepting import accept, ask_again
from core.areas.crawls import (
    Question,
    begin_crawl,
    fail_crawl,
    load_crawl,
    request_crawl,
    resume,
    waiting_questions,
)
from core.areas.progress import progress_of
from core.areas.register_store import register_in_use, rows_in_use, version_in_use
from core.areas.register_upload import replace_register
from core.areas.source_client import SourceClient
from core.areas.sources import Source, load_sources
from core.database import tables
from core.engine.areas.compact import read_register, read_shipped, write_register
from core.engine.areas.finding import Areas
from core.events.failures import list_failures
from core.operations.retrying import retry
from core.support.faults import Fault
from core.user_errors import UserError
from tasks.areas import CrawlContext, ask_about
from tests.area_source import AreaServer, area_server
from tests.service.areas.crawling import LIMITS, crawl, nothing_written, plan, today, whole_crawl

LONDON, HACKNEY, CITY, CAMDEN = "E12000007", "E09000012", "E09000001", "E09000007"
LSOA = "E01000001"
TODAY = dt.datetime.now(dt.UTC).date()


@pytest.fixture(scope="module")
def running() -> Iterator[AreaServer]:
    with area_server() as server:
        yield server


@pytest.fixture
def server(running: AreaServer) -> Iterator[AreaServer]:
    """The server with the areas as they are; what a test changes is put back."""
    yield running
    running.restore()


@pytest.fixture
def source(server: AreaServer, tmp_path: Path) -> Source:
    return load_sources(server.write_sources(tmp_path / "sources.yaml"))["statistics"]


def areas_of(engine: Engine, code: str) -> Areas:
    with engine.connect() as connection:
        return Areas(rows_in_use(connection))


def events(engine: Engine, name: str) -> list[dict[str, object]]:
    query = sa.select(tables.events.c.payload).where(tables.events.c.name == name)
    with engine.connect() as connection:
        return list(connection.execute(query.order_by(tables.events.c.id)).scalars())


def test_the_shipped_register_is_confirmed_without_a_change(
    database: Engine, source: Source
) -> None:
    with database.connect() as connection:
        assert version_in_use(connection) == 0
    finished = whole_crawl(database, source, within=LONDON)
    assert (finished.new, finished.changed, finished.retired) == (0, 0, 0)
    assert finished.state == "complete"
    with database.connect() as connection:
        assert version_in_use(connection) == 0
    with nothing_written(database):
        whole_crawl(database, source, within=LONDON)


def test_a_new_name_leaves_the_old_one_behind(
    database: Engine, server: AreaServer, source: Source
) -> None:
    server.change({HACKNEY: ["New Hackney", LONDON]})
    finished = whole_crawl(database, source, within=LONDON)
    assert (finished.new, finished.changed, finished.retired) == (0, 1, 0)
    area = areas_of(database, HACKNEY).area(HACKNEY)
    assert (area.place.name, area.since) == ("New Hackney", TODAY)
    assert [(each.name, each.until) for each in area.periods] == [
        ("Hackney", TODAY - dt.timedelta(days=1))
    ]
    [event] = events(database, "area.found")
    assert (event["code"], event["changed"]) == (LONDON, 1)
    with database.connect() as connection:
        assert register_in_use(connection).names[HACKNEY] == "New Hackney"


def test_fewer_areas_than_before_are_held_until_a_person_decides(
    database: Engine, server: AreaServer, source: Source
) -> None:
    server.change({LSOA: None})
    run_id = plan(database, source, LONDON)
    finished = crawl(database, source, run_id)
    assert finished is not None
    assert (finished.state, finished.held) == ("complete with errors", 1)
    assert LSOA in today(database)
    with database.connect() as connection:
        [trouble] = progress_of(connection, EVERYTHING, run_id).troubles
    assert trouble.held and trouble.parent == CITY
    assert "has 5 areas within City of London where the register has 6" in trouble.reason
    assert LSOA in trouble.reason
    [event] = events(database, "area.held")
    assert event["code"] == CITY

    server.forget()
    with database.begin() as connection:
        assert accept(connection, CITY, user_id=None) == run_id
    ended = crawl(database, source, run_id)
    assert ended is not None and ended.state == "complete"
    assert server.report()["log"] == []  # what the person saw is taken in, nothing is asked again
    with pytest.raises(UserError, match="no answer is held"), database.begin() as connection:
        accept(connection, CITY, user_id=None)


def test_a_held_answer_may_be_asked_for_again(
    database: Engine, server: AreaServer, source: Source
) -> None:
    server.change({LSOA: None})
    run_id = plan(database, source, LONDON)
    crawl(database, source, run_id)
    server.restore()
    with database.begin() as connection:
        ask_again(connection, CITY, user_id=None)
    ended = crawl(database, source, run_id)
    assert ended is not None and (ended.state, ended.held) == ("complete", 0)


def test_an_area_moves_when_its_old_parent_lets_it_go(
    database: Engine, server: AreaServer, source: Source
) -> None:
    server.change({LSOA: ["City of London 001A", CAMDEN]})
    run_id = plan(database, source, LONDON)
    first = crawl(database, source, run_id)
    assert first is not None and first.held == 1  # the City has one fewer
    assert today(database)[LSOA][1] == CITY
    with database.begin() as connection:
        accept(connection, CITY, user_id=None)
    ended = crawl(database, source, run_id)
    assert ended is not None and ended.changed == 1
    area = areas_of(database, LSOA).area(LSOA)
    assert area.ancestors[0].code == CAMDEN
    before = area.parent_on(TODAY - dt.timedelta(days=1))
    assert before is not None and before.code == CITY
    with database.connect() as connection:
        register = register_in_use(connection)
    assert register.district_of(pa.array([LSOA])).to_pylist() == [CAMDEN]
    last_month = register.as_of(TODAY - dt.timedelta(days=30))
    assert last_month.formerly(pa.array([LSOA])).to_pylist() == [CITY]


def test_an_area_in_two_places_is_reported_once_and_stays(
    database: Engine, server: AreaServer, source: Source
) -> None:
    server.change({"twice": [LSOA, "City of London 001A", CAMDEN]})
    finished = whole_crawl(database, source, within=LONDON)
    assert (finished.state, finished.failed) == ("complete with errors", 1)
    assert today(database)[LSOA][1] == CITY
    with database.connect() as connection:
        [failure] = list_failures(connection, EVERYTHING)
    assert failure.reason == f"The source has {LSOA} within {CITY} and within {CAMDEN}"
    with nothing_written(database):
        whole_crawl(database, source, within=LONDON)


def merged(server: AreaServer) -> None:
    """Two boroughs become one, as counties did."""
    areas = today_of_server(server)
    changes: dict[str, object] = {CAMDEN: None, HACKNEY: None, "E09000099": ["Camhack", LONDON]}
    for code, (name, parent) in areas.items():
        if parent in (CAMDEN, HACKNEY):
            changes[code] = [name, "E09000099"]
    server.change({**changes, "E09000098": ["Another", LONDON]})


def today_of_server(server: AreaServer) -> dict[str, tuple[str, str]]:
    """The areas that the server knows, as it was started."""
    from tests.service.areas.crawling import in_force

    return {code: (name, str(parent)) for code, (name, parent) in in_force(read_shipped()).items()}


def test_what_gave_way_to_another_ends_and_has_a_successor(
    database: Engine, server: AreaServer, source: Source
) -> None:
    merged(server)
    finished = whole_crawl(database, source)
    assert finished.state == "complete"
    assert (finished.new, finished.retired) == (2, 2)
    camden = areas_of(database, CAMDEN).area(CAMDEN)
    assert camden.place.ends == TODAY - dt.timedelta(days=1)
    assert [each.name for each in camden.successors] == ["Camhack"]
    with database.connect() as connection:
        register = register_in_use(connection)
    assert register.stands_for(HACKNEY) == "E09000099"
    assert (register.ended.null_count, len(register.codes)) == (35_672, 36_778)


def test_a_part_of_the_country_ends_nothing_it_did_not_see(
    database: Engine, server: AreaServer, source: Source
) -> None:
    merged(server)
    finished = whole_crawl(database, source, within=LONDON)
    assert finished.retired == 0
    assert today(database)[CAMDEN] == ("Camden", LONDON)


def test_a_failed_question_waits_in_the_error_queue_and_is_asked_again_alone(
    database: Engine, server: AreaServer, source: Source
) -> None:
    server.trouble(f"never {HACKNEY}")
    run_id = plan(database, source, LONDON)
    finished = crawl(database, source, run_id)
    server.trouble(None)
    assert finished is not None
    assert (finished.state, finished.failed) == ("complete with errors", 1)
    with database.connect() as connection:
        [failure] = list_failures(connection, EVERYTHING)
    assert failure.title == f"areas within Hackney ({HACKNEY})"
    assert "it answered 500" in failure.reason and "5 times" in failure.reason
    server.forget()
    with database.begin() as connection:
        retry(connection, failure.reference)
    ended = crawl(database, source, run_id)
    assert ended is not None and (ended.state, ended.failed) == ("complete", 0)
    assert {each["parent"] for each in server.report()["log"]} == {HACKNEY}
    with database.connect() as connection:
        assert list_failures(connection, EVERYTHING) == []


def test_a_crawl_that_stopped_goes_on_with_all_that_is_open(
    database: Engine, server: AreaServer, source: Source
) -> None:
    server.trouble("never E0900003")
    run_id = plan(database, source, LONDON)
    with database.begin() as connection:
        begin_crawl(connection, run_id, source, flow_run=None)
        going = load_crawl(connection, run_id, source)
    with SourceClient(LIMITS) as client:
        context = CrawlContext(database, going, source, client)
        for _ in range(2):
            with database.connect() as connection:
                questions = waiting_questions(connection, run_id)
            done = [ask_about.fn(context, question) for question in questions if ends_low(question)]
    assert done.count(False) == 4  # E09000030 to 33
    with database.begin() as connection:
        reference = fail_crawl(connection, run_id, going.area, Fault("The source is away"))
    server.restore()
    with database.begin() as connection:
        retry(connection, reference)
    ended = crawl(database, source, run_id)
    assert ended is not None and (ended.state, ended.failed) == ("complete", 0)
    with database.connect() as connection:
        assert list_failures(connection, EVERYTHING) == []
    asked = Counter(each["address"] for each in server.report()["log"])
    assert set(asked.values()) == {1}


def ends_low(question: Question) -> bool:
    """London, its first boroughs, and those that have trouble: the others are left waiting."""
    return question.parent == LONDON or question.parent[-2:] < "05" or question.parent[-2:] >= "30"


def test_one_crawl_at_a_time(database: Engine, source: Source) -> None:
    plan(database, source, LONDON)
    with pytest.raises(UserError, match="is under way"):
        plan(database, source)


@pytest.mark.parametrize(
    ("within", "words"), [("E99999999", "is no area"), (LSOA, "City of London 001A .* is a LSOA")]
)
def test_a_crawl_begins_where_there_is_something_to_ask(
    database: Engine, source: Source, within: str, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        plan(database, source, within)


def test_a_complete_crawl_does_not_go_on(database: Engine, source: Source) -> None:
    run_id = plan(database, source, HACKNEY)
    crawl(database, source, run_id)
    with pytest.raises(UserError, match="cannot become running"), database.begin() as connection:
        resume(connection, run_id, user_id=None, reason="again")


def test_the_register_goes_out_and_comes_in(database: Engine, tmp_path: Path) -> None:
    path = tmp_path / "register.csv.gz"
    with database.connect() as connection:
        write_register(path, rows_in_use(connection))
    rows = read_register(path)
    with database.begin() as connection:
        brought = replace_register(connection, rows, accept_fewer=False)
    assert (brought.new, brought.gone, brought.moved, brought.months) == (0, 0, 0, 0)
    with database.connect() as connection:
        assert version_in_use(connection) == 1
        assert rows_in_use(connection).sort_by("code").num_rows == rows.num_rows
        write_register(tmp_path / "again.csv.gz", rows_in_use(connection))
    assert (tmp_path / "again.csv.gz").read_bytes() == path.read_bytes()


def test_a_register_with_fewer_areas_must_be_accepted(database: Engine) -> None:
    rows = read_shipped()
    fewer = rows.filter(pa.compute.not_equal(rows["code"], LSOA))
    with database.begin() as connection, pytest.raises(UserError, match=f"1 areas .*{LSOA}"):
        replace_register(connection, fewer, accept_fewer=False)
    with database.begin() as connection:
        assert replace_register(connection, fewer, accept_fewer=True).gone == 1


def test_who_asks_twice_is_told(database: Engine, source: Source) -> None:
    with database.begin() as connection:
        request_crawl(connection, source, within=None, user_id=None)
    [asked] = events(database, "spider.requested")
    assert asked["area"] == "England and Wales (K04000001)"
