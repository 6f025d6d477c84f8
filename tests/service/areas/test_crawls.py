"""Crawls of the spider over real HTTP into a real database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.areas.sources import Source, load_sources
from core.engine.areas.compact import read_shipped
from tests.area_source import AreaServer, area_server
from tests.service.areas.crawling import (
    empty_but_for_the_root,
    in_force,
    nothing_written,
    today,
    whole_crawl,
)

ENGLAND_AND_WALES = 35_672 + 318 + 21 + 9 + 2


@pytest.fixture
def server() -> Iterator[AreaServer]:
    with area_server("--seed", "3", "--troubles", "0.1") as running:
        yield running


def source_of(server: AreaServer, folder: Path, name: str = "statistics") -> Source:
    return load_sources(server.write_sources(folder / "sources.yaml"))[name]


def england_and_wales() -> dict[str, tuple[str, str | None]]:
    """England and Wales, as they ship with the product."""
    rows = in_force(read_shipped())
    return {code: row for code, row in rows.items() if code[0] in "EW" or code[:3] == "K02"} | {
        "K04000001": rows["K04000001"]
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["statistics", "geoportal"])
def test_the_whole_of_england_and_wales_is_found_and_found_again(
    name: str, database: Engine, server: AreaServer, tmp_path: Path
) -> None:
    source = source_of(server, tmp_path, name)
    empty_but_for_the_root(database)
    finished = whole_crawl(database, source)
    assert finished.new == ENGLAND_AND_WALES
    assert today(database) == england_and_wales()
    report = server.report()
    assert report["most_at_once"] <= 8
    answered = Counter(each["address"] for each in report["log"] if each["outcome"] == "200")
    assert set(answered.values()) == {1}
    assert finished.failed == len(report["cycles"]) > 0
    server.forget()
    with nothing_written(database):
        again = whole_crawl(database, source)
    assert (again.new, again.changed, again.retired) == (0, 0, 0)
    assert again.unchanged == ENGLAND_AND_WALES
