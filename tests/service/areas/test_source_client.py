"""Sources are asked over real HTTP, whatever goes wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.areas.answers import Page, requests_about
from core.areas.differences import merge
from core.areas.source_client import (
    Answer,
    CachedAnswer,
    NoSourceAnswer,
    RequestLimits,
    SourceClient,
)
from core.areas.sources import Source, load_sources
from core.engine.areas.register import AreaRegister
from tests.area_server import TROUBLES
from tests.area_source import AreaServer, area_server

HACKNEY, KENT = "E09000012", "E10000016"
LIMITS = RequestLimits(8, 500.0, 5.0, 5, 10.0, "Grouper/test", pause=0.02)


@pytest.fixture(scope="module")
def server() -> Iterator[AreaServer]:
    with area_server() as running:
        yield running


@pytest.fixture
def sources(server: AreaServer, tmp_path: Path) -> dict[str, Source]:
    server.forget()
    return load_sources(server.write_sources(tmp_path / "sources.yaml", page=50))


def ask(
    source: Source, parent: str, kind: str, cached: dict[str, CachedAnswer] | None = None
) -> list[Answer]:
    """All pages about an area."""
    found: list[Answer] = []
    known = {} if cached is None else cached
    with SourceClient(LIMITS) as client:
        for lookup in requests_about(source, parent, kind):
            offset, more = 0, True
            while more:
                found.append(client.ask(lookup(offset), known.get))
                offset, more = offset + found[-1].page.sent, found[-1].page.more
    return found


def lsoas_of(district: str) -> set[str]:
    register = AreaRegister.shipped()
    columns = zip(
        register.codes.to_pylist(),
        register.districts.to_pylist(),
        register.ended.to_pylist(),
        strict=True,
    )
    return {code for code, parent, ended in columns if parent == district and ended is None}


@pytest.mark.parametrize("name", ["statistics", "geoportal"])
def test_both_services_give_all_pages(
    name: str, sources: dict[str, Source], server: AreaServer
) -> None:
    answers = ask(sources[name], HACKNEY, "London borough")
    assert set(merge(answer.page for answer in answers)) == lsoas_of(HACKNEY)
    log = server.report()["log"]
    assert len(log) == len(answers) > 2
    assert len({each["address"] for each in log}) == len(log)


@pytest.mark.parametrize("name", ["statistics", "geoportal"])
def test_what_is_as_it_was_is_not_sent_again(
    name: str, sources: dict[str, Source], server: AreaServer
) -> None:
    first = ask(sources[name], HACKNEY, "London borough")
    cached = {answer.address: answer.cached for answer in first if answer.cached}
    assert len(cached) == len(first)
    server.forget()
    second = ask(sources[name], HACKNEY, "London borough", cached)
    assert [answer.page for answer in second] == [answer.page for answer in first]
    assert all(answer.cached is None for answer in second)
    assert {each["outcome"] for each in server.report()["log"]} == {"304"}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_troubles_pass(trouble: str, sources: dict[str, Source], server: AreaServer) -> None:
    server.trouble(trouble)
    try:
        answers = ask(sources["statistics"], KENT, "county")
    finally:
        server.trouble(None)
    assert len(merge(answer.page for answer in answers)) == 12
    outcomes = [each["outcome"] for each in server.report()["log"]]
    assert outcomes == ["200"] if trouble == "slow" else outcomes == [trouble, "200"]


def test_nobody_there_is_said_after_every_attempt(sources: dict[str, Source]) -> None:
    away = sources["statistics"].model_copy(update={"url": "http://127.0.0.1:9/sparql.json"})
    with pytest.raises(NoSourceAnswer, match=r"did not answer \(ConnectError\), 5 times"):
        ask(away, KENT, "county")


def test_a_question_that_is_refused_is_not_repeated(
    sources: dict[str, Source], server: AreaServer
) -> None:
    wrong = sources["statistics"].model_copy(update={"url": f"{server.url}/nothing"})
    with pytest.raises(NoSourceAnswer, match="it answered 404"):
        ask(wrong, KENT, "county")
    assert [each["outcome"] for each in server.report()["log"]] == ["404"]


def test_a_page_is_kept_as_it_is() -> None:
    page = Page.from_document({"areas": [["E09000012", "Hackney"]], "more": True, "sent": 1})
    assert Page.from_document(page.as_document()) == page
