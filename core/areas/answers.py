"""Answers of sources and how they are read: the areas of a page, and whether a page follows."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from core.areas.sources import ArcgisSource, LayerLookup, Source, SparqlLookup, SparqlSource
from core.engine.areas.kinds import is_code

SHOWN = 120


class WrongAnswer(Exception):
    """The answer is not what was asked for, whatever its status says."""


class RefusedAnswer(Exception):
    """The source refuses the request itself; asking again would not help."""


class FoundArea(NamedTuple):
    """An area of an answer. Dates are ISO; None: the source does not say."""

    code: str
    name: str
    name_welsh: str | None = None
    in_force: bool = True
    begins: str | None = None
    ends: str | None = None
    longitude: float | None = None
    latitude: float | None = None


@dataclass(frozen=True)
class Page:
    """One page of an answer, in the order in which it was sent."""

    areas: tuple[FoundArea, ...]
    more: bool  # whether another page follows
    sent: int = 0  # rows, including those of areas that the register does not hold

    def as_document(self) -> dict[str, Any]:
        return {"areas": [list(area) for area in self.areas], "more": self.more, "sent": self.sent}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Page:
        areas = tuple(FoundArea(*area) for area in document["areas"])
        return cls(areas, document["more"], document["sent"])


@dataclass(frozen=True)
class SourceRequest:
    """A request: its address and parameters, and the function that reads its answer."""

    address: str
    parameters: Mapping[str, str]
    read: Callable[[bytes, str], Page]


def requests_about(source: Source, parent: str, kind: str) -> list[Callable[[int], SourceRequest]]:
    """For each lookup of the kind, a function from an offset (rows) to the request."""
    if isinstance(source, SparqlSource):
        return [_sparql(source, each, parent) for each in source.lookups if kind in each.of]
    return [_arcgis(source, each, parent) for each in source.lookups if kind in each.of]


def _sparql(
    source: SparqlSource, lookup: SparqlLookup, parent: str
) -> Callable[[int], SourceRequest]:
    def ask(offset: int) -> SourceRequest:
        query = lookup.query.replace("{parent}", parent)
        query = query.replace("{limit}", str(source.page)).replace("{offset}", str(offset))

        def read(body: bytes, kind: str) -> Page:
            return read_sparql(_json(body, kind), source, parent)

        return SourceRequest(source.url, {"query": query}, read)

    return ask


def _arcgis(
    source: ArcgisSource, lookup: LayerLookup, parent: str
) -> Callable[[int], SourceRequest]:
    def ask(offset: int) -> SourceRequest:
        parameters = {
            "where": lookup.where.replace("{parent}", parent),
            "outFields": ",".join(lookup.fields.values()),
            "orderByFields": lookup.fields["code"],
            "returnDistinctValues": "true",
            "returnGeometry": "false",
            "resultOffset": str(offset),
            "resultRecordCount": str(source.page),
            "f": "json",
        }

        def read(body: bytes, kind: str) -> Page:
            return read_arcgis(_json(body, kind), lookup)

        return SourceRequest(f"{source.url}/{lookup.layer}/query", parameters, read)

    return ask


def read_sparql(document: Any, source: SparqlSource, parent: str) -> Page:
    """A page of bindings; a full page may be followed by another. Raises ``WrongAnswer``."""
    try:
        bindings = document["results"]["bindings"]
        rows = [{name: each["value"] for name, each in row.items()} for row in bindings]
    except (TypeError, KeyError, AttributeError) as error:
        raise WrongAnswer("it has no results with bindings") from error
    for row in rows:
        if _last_segment(row.get("parent", parent)) != parent:
            raise WrongAnswer(f"it tells of children of {row['parent']:.{SHOWN}}, not of {parent}")
    return Page(_areas(rows, source.live), len(rows) >= source.page, len(rows))


def read_arcgis(document: Any, lookup: LayerLookup) -> Page:
    """A page of features. Raises ``WrongAnswer``, or ``RefusedAnswer`` for an error within it."""
    if isinstance(document, dict) and "error" in document:
        _refuse(document["error"])
    try:
        features = [feature["attributes"] for feature in document["features"]]
        rows = [{name: row[field] for name, field in lookup.fields.items()} for row in features]
    except (TypeError, KeyError) as error:
        raise WrongAnswer("it has no features with the fields that were asked for") from error
    more = bool(document.get("exceededTransferLimit", False))
    if more and not rows:
        raise WrongAnswer("it says that more follows, and holds nothing")
    return Page(_areas(rows, "live"), more, len(rows))


def _refuse(error: Any) -> None:
    """Raises the error that ArcGIS sends with status 200."""
    details = error if isinstance(error, dict) else {}
    code, text = details.get("code"), f"{details.get('message', error)}"[:SHOWN]
    if isinstance(code, int) and 400 <= code < 500 and code != 429:
        raise RefusedAnswer(f"it refused the question: {code} {text}")
    raise WrongAnswer(f"it holds an error: {code} {text}")


def _areas(rows: Iterable[Mapping[str, Any]], live: str) -> tuple[FoundArea, ...]:
    return tuple(_area(row, live) for row in rows if row.get("code"))


def _area(row: Mapping[str, Any], live: str) -> FoundArea:
    code, name = _last_segment(str(row["code"])), row.get("name")
    if not is_code(code):
        raise WrongAnswer(f"{code[:SHOWN]!r} is no code of an area")
    if not isinstance(name, str) or not name.strip():
        raise WrongAnswer(f"{code} has no name")
    welsh = row.get("name_welsh")
    return FoundArea(
        code,
        " ".join(name.split()),
        " ".join(welsh.split()) or None if isinstance(welsh, str) else None,
        _last_segment(str(row.get("status", live))) == live,
        _date(row.get("begins")),
        _date(row.get("ends")),
        _number(row.get("longitude")),
        _number(row.get("latitude")),
    )


def _last_segment(text: str) -> str:
    """The code at the end of a linked-data address; a plain code is returned unchanged."""
    return text.rstrip("/").rpartition("/")[2]


def _date(value: Any) -> str | None:
    """ISO text, or the milliseconds that ArcGIS writes."""
    if value in (None, ""):
        return None
    try:
        if isinstance(value, int | float):
            return f"{dt.datetime.fromtimestamp(value / 1000, dt.UTC).date()}"
        return f"{dt.date.fromisoformat(str(value)[:10])}"
    except (ValueError, OverflowError, OSError) as error:
        raise WrongAnswer(f"{value!r:.{SHOWN}} is no date") from error


def _number(value: Any) -> float | None:
    if value in (None, ""):
        return None
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise WrongAnswer(f"{value!r:.{SHOWN}} is no number") from error


def _json(body: bytes, kind: str) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        what = kind.partition(";")[0] or "of no kind"
        raise WrongAnswer(f"it is not whole JSON ({what}, {len(body):,} bytes)") from error
