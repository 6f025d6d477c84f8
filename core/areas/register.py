"""The register of areas: every LSOA with its district.

A residence that the register does not hold (a pseudo code such as X99999999) has no district.
"""

from __future__ import annotations

import csv
import datetime
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from core.areas.lists import read_list, refuse

LIBRARY = Path(__file__).parent / "library"
_TEXTS = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, eq=False)
class AreaRegister:
    """Parallel arrays, one entry an area: code, district, and the last day on which it was one."""

    codes: pa.StringArray
    districts: pa.DictionaryArray  # int32 indices, district codes
    ended: pa.Date32Array  # null: still in force

    @classmethod
    def shipped(cls) -> Self:
        """England and Wales, 2011 and 2021 editions (library/README.md)."""
        table = pacsv.read_csv(
            LIBRARY / "areas.csv.gz",
            convert_options=pacsv.ConvertOptions(
                column_types={"lsoa": pa.string(), "district": _TEXTS, "end": pa.date32()}
            ),
        ).combine_chunks()
        return cls(*(_whole(table[name]) for name in ("lsoa", "district", "end")))

    @classmethod
    def from_csv(cls, path: Path) -> Self:
        """From ``lsoa,district`` with optional ``start,end`` (ISO dates, inclusive).

        Where an area stands in several rows, the one in force longest counts: without an end, or
        with the latest. Raises ``UserError`` with file and row.
        """
        rows, columns = read_list(path, ("lsoa", "district"), ("start", "end"))
        latest: dict[str, _Stay] = {}
        for row, code, district, start, end in zip(rows, *columns.values(), strict=True):
            if not code or not district:
                refuse(path, row, f"{'district' if code else 'lsoa'} is blank; fill it in")
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
        )

    def district_of(self, values: pa.Array) -> pa.Array:
        """The district of each LSOA code, as a dictionary array; null where none is known."""
        if isinstance(values, pa.ChunkedArray):
            values = _whole(values)
        if isinstance(values, pa.DictionaryArray):
            return self.district_of(values.dictionary).take(values.indices)
        return self.districts.take(pc.index_in(values, value_set=self.codes))

    @property
    def names(self) -> dict[str, str]:
        """District code to name, abolished ones included."""
        return {code: name for code, (name, _) in self._authorities.items()}

    @property
    def successors(self) -> dict[str, str]:
        """Abolished district to the one that took its place."""
        return {code: after for code, (_, after) in self._authorities.items() if after}

    @cached_property
    def _authorities(self) -> dict[str, tuple[str, str]]:
        with (LIBRARY / "authorities.csv").open(encoding="utf-8", newline="") as lines:
            return {row["code"]: (row["name"], row["successor"]) for row in csv.DictReader(lines)}


@dataclass(frozen=True)
class _Stay:
    """A district, and from when to when an area belonged to it."""

    district: str
    start: datetime.date
    end: datetime.date


def _later(path: Path, row: int, code: str, one: _Stay, other: _Stay) -> _Stay:
    if (one.end, one.start) == (other.end, other.start) and one.district != other.district:
        text = (
            f"{code} stands twice, in {one.district} and {other.district}; keep one, or date them"
        )
        refuse(path, row, text)
    return max(one, other, key=lambda stay: (stay.end, stay.start))


def _date(path: Path, row: int, text: str) -> datetime.date | None:
    if not text:
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        refuse(path, row, f"{text!r} is not a date; write it as YYYY-MM-DD")


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """One array of a column in chunks."""
    whole = column.unify_dictionaries().combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
