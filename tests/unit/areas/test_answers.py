"""Answers of both services are read, and what is wrong with them is said."""

from __future__ import annotations

import datetime as dt
import json
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from core.areas.answers import RefusedAnswer, SourceRequest, WrongAnswer, requests_about
from core.areas.sources import askable_kinds, find_source, load_sources
from core.engine.areas.kinds import DISTRICTS
from core.support.http_retry import retry_after
from core.user_errors import DocumentError, UserError

KENT = "E10000016"


def question(source: str) -> SourceRequest:
    [ask] = requests_about(load_sources()[source], KENT, "county")
    return ask(0)


def bindings(*rows: dict[str, str]) -> bytes:
    found = [{name: {"value": value} for name, value in row.items()} for row in rows]
    return json.dumps({"results": {"bindings": found}}).encode()


def test_bindings_are_areas() -> None:
    row = {
        "code": "http://statistics.data.gov.uk/id/statistical-geography/E07000105",
        "name": " Ashford ",
        "status": "live",
        "parent": KENT,
    }
    page = question("statistics").read(bindings(row), "application/json")
    assert [(area.code, area.name, area.in_force) for area in page.areas] == [
        ("E07000105", "Ashford", True)
    ]
    assert not page.more


def test_features_are_areas_and_their_limit_is_heeded() -> None:
    features = [{"attributes": {"LAD23CD": "E07000105", "LAD23NM": "Ashford"}}]
    body = json.dumps({"features": features, "exceededTransferLimit": True}).encode()
    page = question("geoportal").read(body, "")
    assert page.areas[0].name == "Ashford"
    assert (page.more, page.sent) == (True, 1)


WRONG: list[tuple[str, bytes, str]] = [
    ("statistics", b"<html>sorry</html>", "not whole JSON (text/html"),
    ("statistics", b'{"results": {"bind', "not whole JSON"),
    ("statistics", b"[]", "no results with bindings"),
    ("statistics", b'{"results": {"bindings": [1]}}', "no results with bindings"),
    ("statistics", bindings({"code": "nonsense", "name": "a"}), "is no code of an area"),
    ("statistics", bindings({"code": "E07000105", "name": " "}), "E07000105 has no name"),
    (
        "statistics",
        bindings({"code": "E07000105", "name": "a", "parent": "E10000017"}),
        "tells of children of E10000017, not of E10000016",
    ),
    ("geoportal", b'{"objectIdFieldName": "x"}', "no features"),
    ("geoportal", b'{"features": [], "exceededTransferLimit": true}', "more follows, and holds no"),
    ("geoportal", b'{"error": {"code": 503, "message": "busy"}}', "an error: 503 busy"),
]


@pytest.mark.parametrize(("source", "body", "words"), WRONG)
def test_what_is_no_answer_is_told(source: str, body: bytes, words: str) -> None:
    with pytest.raises(WrongAnswer) as told:
        question(source).read(body, "text/html; charset=utf-8")
    assert words in str(told.value)


def test_a_refused_question_is_not_asked_again() -> None:
    body = b'{"error": {"code": 400, "message": "Invalid field"}}'
    with pytest.raises(RefusedAnswer, match="400 Invalid field"):
        question("geoportal").read(body, "")


@pytest.mark.parametrize("name", ["statistics", "geoportal"])
def test_every_kind_above_lsoas_can_be_asked_about(name: str) -> None:
    source = load_sources()[name]
    wanted = {"union", "country", "region", "county", *DISTRICTS[:4]}
    assert set(askable_kinds(source)) == wanted


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after("7") == 7
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    found = retry_after(format_datetime(soon, usegmt=True))
    assert found is not None and 55 < found <= 60
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after("soon") is None
    assert retry_after(None) is None


def test_a_source_is_named_or_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there are statistics, geoportal"):
        find_source("elsewhere")
    path = tmp_path / "sources.yaml"
    lines: Any = ["sources:", "  - {name: a, title: a, service: sparql, url: 'ftp://a'}"]
    path.write_text("\n".join(lines))
    with pytest.raises(DocumentError, match=r"sources\.yaml:2: .*url"):
        load_sources(path)
