"""What an answer says against what the register holds: plain values, nothing is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.areas.answers import Found, Page
from core.engine.areas.kinds import kind_of

MOST_MISSING = 0.2
"""The share of known children that an answer may lack, however many new ones it holds."""


@dataclass(frozen=True)
class Known:
    """An area of the register, as it is today."""

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
    """New values of a known area; a new name or a return leaves the earlier one as a period."""

    code: str
    values: Mapping[str, Any]

    @property
    def renames(self) -> bool:
        return "name" in self.values


@dataclass(frozen=True)
class Difference:
    """An answer, sorted by what is to be done about each area."""

    new: tuple[Found, ...]
    changed: tuple[Change, ...]
    retired: tuple[Found, ...]  # the source itself says that they ended
    unchanged: int
    missing: tuple[str, ...]  # in force here, and not in the answer
    claimed: tuple[str, ...]  # in the register under another parent
    contradictions: tuple[str, ...]  # the parent lies within them
    children: tuple[str, ...]  # in force, to be asked about in turn
    known: int  # children in force before

    @property
    def news(self) -> bool:
        """Whether the register is to change at once."""
        return bool(self.new or self.changed or self.retired)

    @property
    def shrinks(self) -> bool:
        """Whether a person is to look before anything is done."""
        fewer = len(self.children) + len(self.retired) < self.known
        return fewer or len(self.missing) > max(1, MOST_MISSING * self.known)


def merge(pages: Iterable[Page]) -> dict[str, Found]:
    """The areas of all pages by code: each once, in force where any row says so.

    Kinds that the register does not hold are left out.
    """
    found: dict[str, Found] = {}
    for page in pages:
        for area in page.areas:
            if kind_of(area.code) is None:
                continue
            before = found.get(area.code)
            if before is None or (area.in_force and not before.in_force):
                found[area.code] = area
    return dict(sorted(found.items()))


def compare(
    parent: str,
    found: Mapping[str, Found],
    known: Mapping[str, Known],
    ancestors: Collection[str],
    day: dt.date,
) -> Difference:
    """``known`` has the areas that were found and all children of ``parent``; ``ancestors`` are
    those of the parent. ``day`` is when an area without a date ends or begins anew."""
    within = {parent, *ancestors}
    contradictions = tuple(code for code in found if code in within)
    rest = {code: area for code, area in found.items() if code not in within}
    here = {code for code, area in known.items() if area.parent == parent and area.ends is None}
    live = {code: area for code, area in rest.items() if area.in_force}
    both = [(area, known[code]) for code, area in live.items() if code in known]
    changes = [change for area, before in both if (change := _change(area, before, day))]
    retired = tuple(
        area
        for code, area in rest.items()
        if not area.in_force and code in known and known[code].ends is None
    )
    return Difference(
        new=tuple(area for code, area in rest.items() if code not in known),
        changed=tuple(changes),
        retired=retired,
        unchanged=len(both) - len(changes),
        missing=tuple(sorted(here - set(found))),
        claimed=tuple(area.code for area, before in both if before.parent != parent),
        contradictions=contradictions,
        children=tuple(live),
        known=len(here),
    )


def _change(area: Found, before: Known, day: dt.date) -> Change | None:
    """What a source says otherwise; what it does not say stays as it is."""
    told = {
        "name_welsh": area.name_welsh,
        "begins": _date(area.begins),
        "longitude": area.longitude,
        "latitude": area.latitude,
    }
    values: dict[str, Any] = {
        name: value
        for name, value in told.items()
        if value is not None and value != getattr(before, name)
    }
    if area.name != before.name:
        values |= {"name": area.name, "since": day}
    if before.ends is not None:
        values |= {"ends": None, "successors": None}
    return Change(area.code, values) if values else None


def _date(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)
