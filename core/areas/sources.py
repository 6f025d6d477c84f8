"""The sources of areas: which service, which layer or query, which fields. Data, never code."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from core.documents import StrictModel, read_document
from core.engine.areas.kinds import KINDS
from core.user_errors import UserError

SHIPPED_SOURCES = Path(__file__).parent / "library" / "sources.yaml"
FIELDS = (
    "code",
    "name",
    "name_welsh",
    "status",
    "parent",
    "begins",
    "ends",
    "longitude",
    "latitude",
)
"""The fields of an area; a source maps each to a field of its answers."""

Kind = Literal[
    "union",
    "country",
    "region",
    "county",
    "unitary authority",
    "non-metropolitan district",
    "metropolitan district",
    "London borough",
    "council area",
    "district council area",
]
"""The kinds that may have areas within them."""


class SparqlLookup(StrictModel):
    """A query; ``{parent}``, ``{limit}`` and ``{offset}`` are filled in. Variables are FIELDS."""

    of: tuple[Kind, ...] = Field(min_length=1)
    query: str


class LayerLookup(StrictModel):
    """A layer of a feature service: which rows are children of ``{parent}``, and their fields."""

    of: tuple[Kind, ...] = Field(min_length=1)
    layer: str
    where: str
    fields: dict[Literal[FIELDS], str]  # type: ignore[valid-type]


class _Source(StrictModel):
    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    title: str
    url: str = Field(pattern=r"^https?://")
    root: str = Field(pattern=r"^[A-Z]\d{8}$")  # where a full crawl begins
    page: int = Field(default=1000, ge=1)


class SparqlSource(_Source):
    """A SPARQL endpoint that answers with JSON."""

    service: Literal["sparql"]
    lookups: tuple[SparqlLookup, ...] = Field(min_length=1)
    live: str = "live"  # the status of areas in force


class ArcgisSource(_Source):
    """An ArcGIS server with feature services."""

    service: Literal["arcgis"]
    lookups: tuple[LayerLookup, ...] = Field(min_length=1)


Source = SparqlSource | ArcgisSource


class _Sources(StrictModel):
    sources: tuple[Source, ...] = Field(min_length=1)


def load_sources(path: Path | None = None) -> dict[str, Source]:
    """The sources of a document by name; the shipped ones by default. Raises ``DocumentError``."""
    document = read_document(path or SHIPPED_SOURCES)
    try:
        validated = _Sources.model_validate(document.data)
    except ValidationError as error:
        raise document.refused_by(error) from error
    return {source.name: source for source in validated.sources}


def find_source(name: str, path: Path | None = None) -> Source:
    """The source of a name; raises ``UserError`` that lists those that exist."""
    sources = load_sources(path)
    if name not in sources:
        raise UserError(f"there is no source {name!r}; there are {', '.join(sources)}")
    return sources[name]


def askable_kinds(source: Source) -> tuple[str, ...]:
    """The kinds of areas that the source can be asked about, from the top down."""
    kinds = {kind for lookup in source.lookups for kind in lookup.of}
    return tuple(kind for kind in KINDS if kind in kinds)
