"""Indicators as data: name, description, and the query that measures each."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from core.documents import Document, StrictModel, parse_document

LIBRARY = Path(__file__).parent / "library"
Unit = Literal["percent", "pounds", "per 1,000", "ratio"]
Band = Literal["good", "fair", "poor"]

FACTORS: dict[Unit, int] = {"percent": 100, "pounds": 1, "per 1,000": 1000, "ratio": 1}
SHARES: frozenset[Unit] = frozenset({"percent"})
"""Units in which the numerator is a part of the denominator."""


class Bands(StrictModel):
    """The limits from which a figure is good, and from which it is fair."""

    good: Decimal
    fair: Decimal


class Kpi(StrictModel):
    """An indicator. ``sql`` is one SELECT over the views of a submission that returns one row with
    a ``numerator`` and a ``denominator`` (docs/kpis.md). An indicator that was taken over from the
    old service has no ``sql``: that service measured its figures by ``old_query``."""

    kpi: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)
    title: str = Field(min_length=1, max_length=80)
    description: str = Field(min_length=1, max_length=400)
    unit: Unit = "percent"
    better: Literal["higher", "lower"] | None = None
    bands: Bands | None = None
    source: str = ""
    sql: str = Field(default="", max_length=10_000)
    taken_over: bool = False
    old_query: str = ""

    @model_validator(mode="after")
    def _something_measures_it(self) -> Self:
        if not self.sql.strip() and not self.taken_over:
            raise ValueError("`sql` is missing: the query that measures it")
        return self

    @model_validator(mode="after")
    def _bands_have_a_direction(self) -> Self:
        if self.bands is None:
            return self
        if self.better is None:
            raise ValueError("bands need `better`: higher or lower")
        in_order = self.bands.good >= self.bands.fair
        if in_order != (self.better == "higher") and self.bands.good != self.bands.fair:
            raise ValueError("`good` must be on the better side of `fair`")
        return self

    def value(self, numerator: Decimal, denominator: Decimal) -> Decimal | None:
        """The figure in its unit; None where the denominator is 0."""
        return numerator * FACTORS[self.unit] / denominator if denominator else None

    def band(self, value: Decimal | None) -> Band | None:
        """The band of a figure; None without a value or bands."""
        if value is None or self.bands is None:
            return None
        sign = 1 if self.better == "higher" else -1
        if sign * value >= sign * self.bands.good:
            return "good"
        return "fair" if sign * value >= sign * self.bands.fair else "poor"


class Library(StrictModel):
    """The indicators of one data set."""

    dataset: str
    kpis: tuple[Kpi, ...]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [kpi.kpi for kpi in self.kpis]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))} stands twice")
        return self


def shipped_library() -> Library:
    """The indicators that ship with the product."""
    path = LIBRARY / "sexual-health.yaml"
    return library_from(parse_document(path.read_text(encoding="utf-8"), name=path.name))


def library_from(document: Document) -> Library:
    """The library of a document; raises ``DocumentError`` with each fault and its line."""
    try:
        return Library.model_validate(document.data)
    except ValidationError as error:
        raise document.refused_by(error) from error


def shown(unit: Unit, value: Decimal | None) -> str:
    """The figure as text for people."""
    if value is None:
        return "nothing to measure"
    match unit:
        case "percent":
            return f"{value:.1f}%"
        case "pounds":
            return f"£{value:,.2f}"
        case "per 1,000":
            return f"{value:.1f} per 1,000"
    return f"{value:.2f}"
