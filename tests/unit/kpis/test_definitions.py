"""Indicators as data: what a library may hold, how figures are read and shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.documents import parse_document
from core.engine.dataset.fields import query_name
from core.kpis.definitions import Bands, Kpi, Unit, library_from, shipped_library, shown
from core.kpis.page import page
from core.settings import PROJECT
from core.user_errors import DocumentError


def kpi(**values: Any) -> Kpi:
    usual = {"kpi": "a-share", "title": "A share", "description": "Of all.", "sql": "SELECT 1"}
    return Kpi(**{**usual, **values})


def test_the_shipped_library_has_fifteen_each_with_its_source() -> None:
    library = shipped_library()
    assert len(library.kpis) == 15
    assert all(each.source and each.description.endswith(".") for each in library.kpis)


@pytest.mark.parametrize(
    ("better", "value", "band"),
    [
        ("higher", 95, "good"),
        ("higher", 90, "fair"),
        ("higher", 89, "poor"),
        ("lower", 90, "good"),
        ("lower", 95, "fair"),
        ("lower", 96, "poor"),
    ],
)
def test_bands(better: str, value: int, band: str) -> None:
    good, fair = (95, 90) if better == "higher" else (90, 95)
    with_bands = kpi(better=better, bands=Bands(good=Decimal(good), fair=Decimal(fair)))
    assert with_bands.band(Decimal(value)) == band
    assert with_bands.band(None) is None
    assert kpi().band(Decimal(value)) is None


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("percent", "25.0%"),
        ("pounds", "£0.25"),
        ("per 1,000", "250.0 per 1,000"),
        ("ratio", "0.25"),
    ],
)
def test_units(unit: Unit, text: str) -> None:
    assert shown(unit, kpi(unit=unit).value(Decimal(1), Decimal(4))) == text
    assert shown(unit, kpi(unit=unit).value(Decimal(0), Decimal(0))) == "nothing to measure"


def test_a_library_with_faults_names_them() -> None:
    text = """
dataset: sexual-health
kpis:
  - {kpi: Wrong Name, title: A, description: B, sql: SELECT 1}
  - {kpi: upside-down, title: A, description: B, sql: SELECT 1, better: higher,
     bands: {good: 5, fair: 10}}
"""
    with pytest.raises(DocumentError) as refused:
        library_from(parse_document(text, name="mine.yaml"))
    told = str(refused.value)
    assert "mine.yaml:4" in told
    assert "`good` must be on the better side" in told


def test_what_nothing_measures_is_taken_over_or_refused() -> None:
    with pytest.raises(ValueError, match="the query that measures it"):
        kpi(sql=" ")
    assert kpi(sql="", taken_over=True, old_query="SELECT 2").sql == ""


def test_a_library_names_each_indicator_once() -> None:
    one = "{kpi: a, title: A, description: B, sql: SELECT 1}"
    text = f"dataset: d\nkpis: [{one}, {one}]"
    with pytest.raises(DocumentError, match="a stands twice"):
        library_from(parse_document(text, name="mine.yaml"))


def test_the_page_is_drawn_from_the_library() -> None:
    assert (PROJECT / "docs" / "kpis.md").read_text(encoding="utf-8") == page()


def test_fields_are_named_as_people_write_queries() -> None:
    assert query_name("Contr. Main Method Status") == "contr_main_method_status"
    assert query_name("SHHAPT") == "shhapt"
