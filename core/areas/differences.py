"""Compares an answer with the register, as plain values; nothing is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.areas.answers import FoundArea, Page
from core.engine.areas.kinds import kind_of

MOST_MISSING = 0.2
"""The share of known children that an answer may lack, regardless of new ones."""


@dataclass(frozen=True)
class RegisteredArea:
    """An area of the register today."""

    code: str
    name: str
    name_welsh: str | None
    parent: str | None
    begins: dt.date | None
    ends: dt.date | None
    longitude: float | None
    latitude: float | None


@dataclass(frozen=True)
class Change:
    """New values of a registered area; a new name or a return into force leaves a period behind."""

    code: str
    values: Mapping[str, Any]

    @property
    def renames(self) -> bool:
        return "name" in self.values


@dataclass(frozen=True)
class Difference:
    """The areas of an answer, by what is to be done about them."""

    new: tuple[FoundArea, ...]
    changed: tuple[Change, ...]
    retired: tuple[FoundArea, ...]  # the source says that they ended
    unchanged: int
    missing: tuple[str, ...]  # in force here, and not in the answer
    claimed: tuple[str, ...]  # in the register under another parent
    contradictions: tuple[str, ...]  # the parent lies within them
    children: tuple[str, ...]  # in force, to be asked about in turn
    known: int  # children in force before

    @property
    def changes_register(self) -> bool:
        """Whether the register changes now."""
        return bool(self.new or self.changed or self.retired)

    @property
    def needs_review(self) -> bool:
        """Whether a person must accept the answer first."""
        fewer = len(self.children) + len(self.retired) < self.known
        return fewer or len(self.missing) > max(1, MOST_MISSING * self.known)


def merge(pages: Iterable[Page]) -> dict[str, FoundArea]:
    """The areas of all pages by code, in force where any row says so.

    Kinds that the register does not hold are left out.
    """
    areas: dict[str, FoundArea] = {}
    for page in pages:
        for area in page.areas:
            if kind_of(area.code) is None:
                continue
            before = areas.get(area.code)
            if before is None or (area.in_force and not before.in_force):
                areas[area.code] = area
    return dict(sorted(areas.items()))


def compare(
    parent: str,
    answered: Mapping[str, FoundArea],
    registered: Mapping[str, RegisteredArea],
    ancestors: Collection[str],
    day: dt.date,
) -> Difference:
    """Compares the areas found within ``parent`` with the register.

    ``registered`` has the areas of the answer and all children of ``parent``; ``ancestors`` are
    those of the parent. ``day`` is when an area without a date ends, or begins again.
    """
    within = {parent, *ancestors}
    contradictions = tuple(code for code in answered if code in within)
    rest = {code: area for code, area in answered.items() if code not in within}
    here = {
        code for code, area in registered.items() if area.parent == parent and area.ends is None
    }
    live = {code: area for code, area in rest.items() if area.in_force}
    both = [(area, registered[code]) for code, area in live.items() if code in registered]
    changes = [change for area, before in both if (change := _change(area, before, day))]
    retired = tuple(
        area
        for code, area in rest.items()
        if not area.in_force and code in registered and registered[code].ends is None
    )
    return Difference(
        new=tuple(area for code, area in rest.items() if code not in registered),
        changed=tuple(changes),
        retired=retired,
        unchanged=len(both) - len(changes),
        missing=tuple(sorted(here - set(answered))),
        claimed=tuple(area.code for area, before in both if before.parent != parent),
        contradictions=contradictions,
        children=tuple(live),
        known=len(here),
    )


def _change(area: FoundArea, before: RegisteredArea, day: dt.date) -> Change | None:
    """The values that differ; values that the source does not state are unchanged."""
    stated = {
        "name_welsh": area.name_welsh,
        "begins": _date(area.begins),
        "longitude": area.longitude,
        "latitude": area.latitude,
    }
    values: dict[str, Any] = {
        name: value
        for name, value in stated.items()
        if value is not None and value != getattr(before, name)
    }
    if area.name != before.name:
        values |= {"name": area.name, "since": day}
    if before.ends is not None:
        values |= {"ends": None, "successors": None}
    return Change(area.code, values) if values else None


def _date(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)
