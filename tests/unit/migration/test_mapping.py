"""The mapping that ships, what may not stand in one, and the page that is written from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.kpis.definitions import shipped_library
from core.migration.importing.importing import BEFORE, CHECK, FIRST, GONE, THEN
from core.migration.problems import PROBLEMS
from core.migration.reading.api_page import api_page, schema_of
from core.migration.reading.legacy import LegacyEndpoint
from core.migration.reading.mapping import load_mapping, shipped_mapping
from core.migration.reading.planning import CircularTables, plan_of
from core.migration.verifying.recalculating import CAUSES
from core.settings import PROJECT, Settings
from core.user_errors import DocumentError, UserError

DOOR = {"legacy_user": "u", "legacy_password": "secret word", "legacy_header": "X-Key: other word"}


def written(tmp_path: Path, tables: str) -> Path:
    path = tmp_path / "mapping.yaml"
    path.write_text(f"tables:\n{tables}")
    return path


def test_the_shipped_mapping_is_whole_and_has_an_order() -> None:
    mapping = shipped_mapping()
    plan = plan_of(mapping)
    assert sorted(plan) == sorted(mapping.tables)
    assert plan.index("organisations") < plan.index("clinics") < plan.index("records")
    assert plan.index("combinationMembers") < plan.index("submissions") < plan.index("charges")
    for table in mapping.tables.values():
        assert table.first is None or table.first in FIRST
        assert table.check is None or table.check in CHECK
        assert table.then is None or table.then in THEN
    assert set(GONE) | set(BEFORE) <= {table.goes_to for table in mapping.tables.values()}


def test_indicators_that_the_mapping_names_are_those_that_ship() -> None:
    same_as = shipped_mapping().tables["kpis"].columns["name"].same_as
    assert sorted(same_as.values()) == sorted(kpi.kpi for kpi in shipped_library().kpis)


def test_a_circle_is_told_with_its_path(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "  a: {title: A, columns: {bId: {is: reference, to: b}}}\n"
        "  b: {title: B, columns: {cId: {is: reference, to: c}}}\n"
        "  c: {title: C, columns: {bId: {is: reference, to: b}}}\n",
    )
    with pytest.raises(CircularTables, match="b → c → b"):
        plan_of(load_mapping(path))


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ("{is: reference, to: nothing}", "'nothing', which is no table"),
        ("{is: reference, to: a}", "say `loops`"),
        ("{is: code}", "say `codes`"),
        ("{is: text, into: 'x; DROP TABLE users'}", "pattern"),
        ("{is: magic}", "Input should be"),
        ("{is: text, same_as: {X: one, Y: one}}", "names the same thing twice"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_line(
    tmp_path: Path, column: str, problem: str
) -> None:
    with pytest.raises(DocumentError) as refused:
        load_mapping(written(tmp_path, f"  a:\n    title: A\n    columns:\n      x: {column}\n"))
    assert problem in str(refused.value)
    assert "mapping.yaml:" in str(refused.value)


def test_the_page_of_the_api_is_as_the_mapping_says() -> None:
    assert (PROJECT / "docs" / "legacy-api.md").read_text(encoding="utf-8") == api_page()
    schema = schema_of("charges", shipped_mapping().tables["charges"])
    assert schema["properties"]["rateType"] == {"enum": ["PRIMARY", "ADDITIONAL"]}
    assert "commissionerId" not in schema["required"]


def test_every_sentence_is_one() -> None:
    assert all(text.startswith(("it ", "its ", "the ", "what ", "{")) for text in PROBLEMS.values())
    assert all(text.endswith((".", ")")) for text in CAUSES.values())


def settings(**given: Any) -> Settings:
    return Settings(**{**DOOR, **given})


def test_the_door_is_as_the_settings_say() -> None:
    endpoint = LegacyEndpoint.of(settings(legacy_url="https://old.example/service/"))
    assert (endpoint.url, endpoint.header) == (
        "https://old.example/service",
        ("X-Key", "other word"),
    )
    for shown in (repr(endpoint), repr(settings(legacy_url="https://old.example"))):
        assert "secret word" not in shown
        assert "other word" not in shown


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"legacy_url": None}, "GROUPER_LEGACY_URL is not set"),
        ({"legacy_url": "http://old.example"}, "must begin with https"),
        ({"legacy_url": "https://old.example", "legacy_user": None}, "asks for all three"),
        ({"legacy_url": "https://old.example", "legacy_header": "other word"}, "Name: value"),
    ],
)
def test_settings_that_are_not_whole_are_refused(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(UserError, match=problem) as refused:
        LegacyEndpoint.of(settings(**given))
    assert "word:" not in str(refused.value)
    assert "secret" not in str(refused.value)
