"""The register of areas: every LSOA with its district, today and in earlier times.

A residence that the register does not hold (a pseudo code such as X99999999) has no district.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.areas.compact import read_shipped
from core.engine.areas.kinds import (
    AUTHORITIES,
    COUNTY,
    LSOA_PATTERN,
    NO_COMMISSIONERS,
    PREFIXES,
    kind_of,
)
from core.engine.areas.lists import read_list, refuse

_FORMER = pa.schema([("code", pa.string()), ("parent", pa.string()), ("until", pa.date32())])


@dataclass(frozen=True)
class Authority:
    """A district or county: its name, its last day, and the authorities that replaced it."""

    name: str
    ends: datetime.date | None = None
    successors: tuple[str, ...] = ()
    county: str | None = None  # of a district in a county: that county, today or at its end


@dataclass(frozen=True, eq=False)
class AreaRegister:
    """Parallel arrays, one entry an LSOA: code, district, and the last day on which it existed.

    ``former`` has a row for each earlier district of an LSOA, with its last day there. ``day`` is
    the day for which earlier districts are looked up; without it there are none.
    """

    codes: pa.StringArray
    districts: pa.DictionaryArray  # int32 indices, district codes
    ended: pa.Date32Array  # null: still in force
    former: pa.Table = field(default_factory=_FORMER.empty_table)
    districts_by_code: Mapping[str, Authority] | None = (
        None  # None: those that ship with the product
    )
    day: datetime.date | None = None
    listed_counties: Mapping[str, str] | None = None
    """District to county as a list has them; None: as the register has them."""

    @classmethod
    def shipped(cls) -> Self:
        """England and Wales, 2011 and 2021 editions (library/README.md)."""
        return cls.from_rows(read_shipped(("code", "parent", "ends", "until")), None)

    @classmethod
    def from_rows(cls, rows: pa.Table, districts_by_code: Mapping[str, Authority] | None) -> Self:
        """From rows of a register (``compact.SCHEMA``), those of LSOAs alone."""
        rows = rows.filter(pc.match_substring_regex(rows["code"], LSOA_PATTERN))
        now = rows.filter(pc.is_null(rows["until"]))
        before = rows.filter(pc.is_valid(rows["until"])).select(_FORMER.names)
        codes, districts, ended = (_one_array(now[name]) for name in ("code", "parent", "ends"))
        return cls(
            codes,
            districts,
            ended,
            former=before.cast(_FORMER),
            districts_by_code=districts_by_code,
        )

    @classmethod
    def from_csv(cls, path: Path) -> Self:
        """From ``lsoa,district`` with optional ``start,end`` (ISO dates, inclusive) and ``county``.

        Where an area stands in several rows, the one in force longest counts: without an end, or
        with the latest. A district lies in the county of its rows, if they name one that pays.
        Raises ``UserError`` with file and row.
        """
        rows, columns = read_list(path, ("lsoa", "district"), ("start", "end", "county"))
        latest: dict[str, _Stay] = {}
        counties: dict[str, str] = {}
        lines = zip(rows, *columns.values(), strict=True)
        for row, *texts in lines:
            start, end = texts.pop(2), texts.pop(2)
            code, district, county = (_listed_code(path, row, text) for text in texts)
            if not code or not district:
                refuse(path, row, f"{'district' if code else 'lsoa'} is blank; fill it in")
            if counties.setdefault(district, county) != county:
                text = f"{district} lies in {counties[district] or 'no county'} in another row"
                refuse(path, row, f"{text} and in {county or 'no county'} here; keep one")
            stay = _Stay(
                district,
                _date(path, row, start) or datetime.date.min,
                _date(path, row, end) or datetime.date.max,
            )
            latest[code] = _later(path, row, code, latest.get(code, stay), stay)
        ends = [None if stay.end == datetime.date.max else stay.end for stay in latest.values()]
        districts = pa.array([stay.district for stay in latest.values()], pa.string())
        return cls(
            pa.array(latest, pa.string()),
            districts.dictionary_encode(),
            pa.array(ends, pa.date32()),
            listed_counties={
                district: county for district, county in counties.items() if may_pay(county)
            },
        )

    def county_of(self, district: str) -> str | None:
        """The county that a district lies in; None for unitary authorities, boroughs, counties."""
        if self.listed_counties is not None:
            return self.listed_counties.get(district)
        known = self.authority(district)
        return known.county if known is not None else None

    def named(self, code: str) -> str:
        """An authority by name and code, or its code alone."""
        known = self.authority(code)
        return code if known is None else f"{known.name} ({code})"

    def district_of(self, values: pa.Array) -> pa.Array:
        """The district of each LSOA code, as a dictionary array; null where none is known."""
        if isinstance(values, pa.ChunkedArray):
            values = _one_array(values)
        if isinstance(values, pa.DictionaryArray):
            return self.district_of(values.dictionary).take(values.indices)
        return self.districts.take(pc.index_in(values, value_set=self.codes))

    def as_of(self, day: datetime.date) -> Self:
        """The register with ``day`` as the day for earlier districts."""
        return replace(self, day=day)

    def formerly(self, values: pa.StringArray) -> pa.StringArray:
        """The district of each LSOA on ``day``, where it differs from today's; else null."""
        codes, parents = self._on_the_day
        return parents.take(pc.index_in(values, value_set=codes))

    @cached_property
    def _on_the_day(self) -> tuple[pa.StringArray, pa.StringArray]:
        """The LSOAs that had another district on ``day``, and that district."""
        if self.day is None or not self.former.num_rows:
            return pa.array([], pa.string()), pa.array([], pa.string())
        still = self.former.filter(pc.greater_equal(self.former["until"], self.day))
        still = still.sort_by("until")  # of several later ends the first counts
        codes = _one_array(still["code"].dictionary_encode())
        _, first = np.unique(codes.indices.to_numpy(), return_index=True)
        parents = _one_array(still["parent"]).take(pa.array(first))
        today = self.district_of(codes.dictionary).cast(pa.string())
        changed = pc.not_equal(parents, today).fill_null(True)
        return codes.dictionary.filter(changed), parents.filter(changed)

    @property
    def names(self) -> dict[str, str]:
        """Code of a district or county to its name, abolished ones included."""
        return {code: each.name for code, each in self.authorities.items()}

    @property
    def successors(self) -> dict[str, str]:
        """Abolished district to the one that has replaced it."""
        ended = (code for code, each in self.authorities.items() if each.successors)
        return {code: self.stands_for(code) for code in ended}

    def stands_for(self, code: str) -> str:
        """The district that has replaced ``code``; ``code`` itself while it is in force."""
        seen = {code}
        while after := self._first_successor(code):
            if after in seen:  # the register of a user may contain a circle
                break
            seen.add(after)
            code = after
        return code

    def standing_for(self, code: str) -> tuple[str, ...]:
        """All that stand in the place of an authority today; itself while it is in force."""
        today: dict[str, None] = {}
        seen, waiting = {code}, [code]
        while waiting:
            one = waiting.pop(0)
            known = self.authority(one)
            if known is None or (not known.successors and known.ends is None):
                today[one] = None
            after = known.successors if known is not None else ()
            waiting += [each for each in after if each not in seen]
            seen.update(after)
        return tuple(today)

    def authority(self, code: str) -> Authority | None:
        """A district or county that is or was."""
        return self.authorities.get(code)

    def spelling(self, text: str) -> str | None:
        """The code of an authority of the register or of a list, written in any case."""
        if self.authority(text.upper()) is not None:
            return text.upper()
        listed = self.districts.unique().to_pylist()  # the dictionary may hold other areas too
        listed += (self.listed_counties or {}).values()
        if text in listed:
            return text
        return next((code for code in listed if code.casefold() == text.casefold()), None)

    def _first_successor(self, code: str) -> str | None:
        authority = self.authorities.get(code)
        return authority.successors[0] if authority and authority.successors else None

    @property
    def authorities(self) -> Mapping[str, Authority]:
        """Every district and county by its code, abolished ones included."""
        return _shipped_authorities() if self.districts_by_code is None else self.districts_by_code


@lru_cache(maxsize=1)
def _shipped_authorities() -> Mapping[str, Authority]:
    return authorities_of(read_shipped(("code", "name", "parent", "ends", "until", "successors")))


def may_pay(county: str) -> bool:
    """Whether a county commissions: metropolitan counties, Greater London and combined authorities
    do not."""
    return bool(county) and not county.upper().startswith(NO_COMMISSIONERS)


def authorities_of(rows: pa.Table) -> dict[str, Authority]:
    """The districts and counties among rows of a register, as they are or were at their end."""
    prefixes = pa.array([prefix for prefix, kind in PREFIXES.items() if kind in AUTHORITIES])
    of_district = pc.is_in(pc.utf8_slice_codeunits(rows["code"], 0, 3), value_set=prefixes)
    rows = rows.filter(pc.and_(of_district, pc.is_null(rows["until"])))
    names = ("code", "name", "ends", "successors", "parent")
    columns = (rows[name].to_pylist() for name in names)
    return {
        code: Authority(
            name,
            ends,
            tuple((after or "").split()),
            county=parent if parent and kind_of(parent) == COUNTY else None,
        )
        for code, name, ends, after, parent in zip(*columns, strict=True)
    }


@dataclass(frozen=True)
class _Stay:
    """A district, and from when to when an area belonged to it."""

    district: str
    start: datetime.date
    end: datetime.date


def _listed_code(path: Path, row: int, text: str) -> str:
    """A code of a list as it is listed: in capitals, like the codes of records."""
    if any(letter.isspace() for letter in text):
        refuse(path, row, f"{text} is no code; write the code of the area, as E09000012")
    return text.upper()


def _later(path: Path, row: int, code: str, first: _Stay, second: _Stay) -> _Stay:
    if (first.end, first.start) == (second.end, second.start) and first.district != second.district:
        districts = f"{first.district} and {second.district}"
        text = f"{code} stands twice, in {districts}; keep one, or date them"
        refuse(path, row, text)
    return max(first, second, key=lambda stay: (stay.end, stay.start))


def _date(path: Path, row: int, text: str) -> datetime.date | None:
    if not text:
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        refuse(path, row, f"{text!r} is not a date; write it as YYYY-MM-DD")


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    """One array of a column in chunks."""
    combined = column.unify_dictionaries().combine_chunks()
    return combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined
