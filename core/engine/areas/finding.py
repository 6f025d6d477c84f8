"""Looks areas up by code or name, with ancestors, children, predecessors and successors."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from core.engine.areas.kinds import COUNTY, DISTRICTS, KINDS, kind_of
from core.user_errors import UserError

MOST_ANCESTORS = 10


@dataclass(frozen=True)
class Place:
    """An area in a list."""

    code: str
    name: str
    kind: str
    ends: dt.date | None = None

    def __str__(self) -> str:
        ended = f", until {self.ends}" if self.ends else ""
        return f"{self.code} {self.name} ({self.kind}{ended})"


@dataclass(frozen=True)
class Period:
    """An earlier name and parent, with its first and last day; None: not known."""

    since: dt.date | None
    until: dt.date
    name: str
    parent: Place | None


@dataclass(frozen=True)
class Area:
    """Everything that the register holds of an area."""

    place: Place
    name_welsh: str | None
    begins: dt.date | None
    since: dt.date | None
    ancestors: tuple[Place, ...]  # from its parent up
    successors: tuple[Place, ...]
    predecessors: tuple[Place, ...]
    children: tuple[Place, ...]
    periods: tuple[Period, ...]

    @property
    def responsible(self) -> Place | None:
        """The authority that commissions for it (docs/formats.md, rule 8), where no tariff names
        the district itself; None above counties."""
        line = (self.place, *self.ancestors)
        county = next((place for place in line if place.kind == COUNTY), None)
        return county or next((place for place in line if place.kind in DISTRICTS), None)

    def parent_on(self, day: dt.date) -> Place | None:
        """The parent of the area on a day."""
        before = next((each for each in self.periods if day <= each.until), None)
        return before.parent if before else next(iter(self.ancestors), None)


class Areas:
    """A register (``compact.SCHEMA``) in which areas are looked up."""

    def __init__(self, rows: pa.Table) -> None:
        now = pc.is_null(rows["until"])
        self.now = rows.filter(now)
        self.before = rows.filter(pc.invert(now))

    def search(self, text: str, limit: int = 50) -> list[Place]:
        """Areas whose code begins with the text or whose name holds it; those in force first."""
        term = text.strip()
        if not term:
            return []
        code = pc.starts_with(self.now["code"], term.upper())
        names = pc.match_substring(self.now["name"], term, ignore_case=True)
        places = [self._place(row) for row in self._rows(pc.or_(code, names))]
        places.sort(key=lambda place: _order(place, term))
        return places[:limit]

    def place(self, code: str) -> Place | None:
        rows = self._rows(pc.equal(self.now["code"], code))
        return self._place(rows[0]) if rows else None

    def area(self, code: str) -> Area:
        """Everything about an area; raises ``UserError`` for an unknown code."""
        rows = self._rows(pc.equal(self.now["code"], code.strip().upper()))
        if not rows:
            raise UserError(f"{code} is no area of the register; look for a part of its name")
        [row] = rows
        return Area(
            self._place(row),
            row["name_welsh"],
            row["begins"],
            row["since"],
            tuple(self._ancestors(row["parent"])),
            tuple(self._places((row["successors"] or "").split())),
            tuple(self._predecessors(row["code"])),
            tuple(self._children(row["code"])),
            tuple(self._periods(row["code"])),
        )

    def districts(self, kinds: tuple[str, ...]) -> pa.Table:
        """Rows of the areas of some kinds in force that have coordinates."""
        located = pc.and_(pc.is_null(self.now["ends"]), pc.is_valid(self.now["longitude"]))
        rows = self.now.filter(located)
        of_kind = [kind_of(code) in kinds for code in rows["code"].to_pylist()]
        return rows.filter(pa.array(of_kind, pa.bool_()))

    def _rows(self, condition: pa.ChunkedArray) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.now.filter(condition).to_pylist()
        return rows

    def _place(self, row: dict[str, Any]) -> Place:
        return Place(row["code"], row["name"], kind_of(row["code"]) or "area", row["ends"])

    def _places(self, codes: list[str]) -> list[Place]:
        places = [self.place(code) for code in codes]
        return [place for place in places if place is not None]

    def _ancestors(self, code: str | None) -> list[Place]:
        ancestors: list[Place] = []
        while code is not None and len(ancestors) < MOST_ANCESTORS:
            rows = self._rows(pc.equal(self.now["code"], code))
            if not rows:
                break
            ancestors.append(self._place(rows[0]))
            code = rows[0]["parent"]
        return ancestors

    def _predecessors(self, code: str) -> list[Place]:
        after = pc.match_substring(self.now["successors"], code).fill_null(False)
        return [self._place(row) for row in self._rows(after)]

    def _children(self, code: str) -> list[Place]:
        parent = self.now["parent"].cast(pa.string())
        condition = pc.and_(pc.equal(parent, code).fill_null(False), pc.is_null(self.now["ends"]))
        return [self._place(row) for row in self._rows(condition)]

    def _periods(self, code: str) -> list[Period]:
        rows = self.before.filter(pc.equal(self.before["code"], code)).to_pylist()
        return [
            Period(
                row["since"],
                row["until"],
                row["name"],
                self.place(row["parent"]) if row["parent"] else None,
            )
            for row in sorted(rows, key=lambda row: row["until"])
        ]


def _order(place: Place, term: str) -> tuple[Any, ...]:
    exact = term.casefold() in (place.code.casefold(), place.name.casefold())
    kind = KINDS.index(place.kind) if place.kind in KINDS else len(KINDS)
    return (not exact, place.ends is not None, kind, place.name, place.code)
