"""Makes the shipped register: ``python -m core.engine.areas.make_register FOLDER``.

FOLDER holds the tables of the Office for National Statistics that library/README.md names. Equal
input makes equal bytes.
"""

from __future__ import annotations

import csv
import datetime as dt
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from core.engine.areas.compact import HEADINGS, LIBRARY, SHIPPED, packed

LAST_DAY_OF_2011_EDITION = "2021-03-20"  # the census behind the 2021 edition was on the day after
FIRST_DAY_OF_2021_EDITION = "2021-03-21"
UNIONS = (("K02000001", "United Kingdom", ""), ("K04000001", "England and Wales", "K02000001"))
Row = dict[str, str]


@dataclass(frozen=True)
class Change:
    """The end of an authority: the first day on which others replaced it."""

    day: str
    code: str
    name: str
    parent: str
    successors: tuple[str, ...]


@dataclass
class Facts:
    """The changes, by authority."""

    ended: dict[str, Change]
    predecessors: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, changes: list[Change]) -> Facts:
        facts = cls({change.code: change for change in changes})
        for change in changes:
            for code in change.successors:
                facts.predecessors.setdefault(code, []).append(change.code)
        return facts

    def begins(self, code: str) -> str:
        days = [self.ended[predecessor].day for predecessor in self.predecessors.get(code, ())]
        return min(days, default="")

    def before(self, code: str) -> Iterator[str]:
        """Every authority that this one has replaced, the earliest first."""
        for predecessor in self.predecessors.get(code, ()):
            yield from self.before(predecessor)
            yield predecessor


def main(folder: Path) -> None:
    facts = Facts.of(_changes())
    rows = [*_top(folder), *_authorities(folder, facts), *_lsoas(folder, facts)]
    rows.sort(key=lambda row: (row["code"], row.get("until") or "9999"))
    SHIPPED.write_bytes(packed([[row.get(name, "") for name in HEADINGS] for row in rows]))


def _changes() -> list[Change]:
    rows = _table(LIBRARY / "changes.csv")
    return [
        Change(
            row["day"], row["code"], row["name"], row["parent"], tuple(row["successors"].split())
        )
        for row in rows
    ]


def _top(folder: Path) -> Iterator[Row]:
    for code, name, parent in UNIONS:
        yield {"code": code, "name": name, "parent": parent}
    for row in _table(folder / "ctry_all_codes.csv"):
        yield {
            "code": row["CTRYCD"],
            "name": row["CTRYNM"],
            "parent": row["EWCD"] or row["UKCD"],
        }
    for row in _table(folder / "rgn_all_codes.csv"):
        yield {"code": row["RGNCD"], "name": row["RGNNM"], "parent": row["CTRYCD"]}


def _authorities(folder: Path, facts: Facts) -> Iterator[Row]:
    seen = set[str]()
    for row in _table(folder / "utla_all_codes.csv"):
        if row["UTLACD"].startswith("E10"):
            yield {"code": row["UTLACD"], "name": row["UTLANM"], "parent": row["RGNCD"]}
    for row in _table(folder / "la_all_codes.csv"):
        code = row["LADCD"]
        if code not in facts.ended:
            upper = row["UTLACD"] if row["UTLACD"] != code else ""
            parent = upper or row["RGNCD"] or row["CTRYCD"]
            seen.add(code)
            yield {
                "code": code,
                "name": row["LADNM"],
                "parent": parent,
                "begins": facts.begins(code),
            }
    for change in facts.ended.values():
        yield {
            "code": change.code,
            "name": change.name,
            "parent": change.parent,
            "begins": facts.begins(change.code),
            "ends": _day_before(change.day),
            "successors": " ".join(change.successors),
        }


def _lsoas(folder: Path, facts: Facts) -> Iterator[Row]:
    old = {row["LSOA11CD"]: row for row in _table(folder / "lsoa11_hierarchy.csv")}
    new = {row["LSOA21CD"]: row for row in _table(folder / "lsoa21_hierarchy.csv")}
    names = {row["LADCD"]: row["LADNM"] for row in _table(folder / "la_all_codes.csv")}
    for code in sorted(old | new):
        row = new.get(code) or old[code]
        name = {
            "": old[code]["LSOA11NM"] if code in old else new[code]["LSOA21NM"],
            FIRST_DAY_OF_2021_EDITION: new[code]["LSOA21NM"] if code in new else "",
        }
        begins = "" if code in old else FIRST_DAY_OF_2021_EDITION
        ends = "" if code in new else LAST_DAY_OF_2011_EDITION
        districts = _districts(row["LADCD"], name[""], facts, names)
        yield from _stays(code, name, districts, begins, ends)


def _districts(today: str, name: str, facts: Facts, names: dict[str, str]) -> dict[str, str]:
    """First day to district: the first district is the one that the LSOA was named after."""
    called = name.rpartition(" ")[0]
    first = next((code for code in facts.before(today) if names.get(code) == called), today)
    by_first_day = {"": first}
    while first in facts.ended:
        change = facts.ended[first]
        first = today if today in change.successors else change.successors[0]
        by_first_day[change.day] = first
    return by_first_day


def _stays(
    code: str, names: dict[str, str], districts: dict[str, str], begins: str, ends: str
) -> Iterator[Row]:
    """A row for each stretch of time with one name and one district; the last is today's."""
    last = _day_after(ends) if ends else "9999"
    days = sorted(day for day in {"", begins, *names, *districts} if day < last)
    days = [day for day in days if not begins or day >= begins]
    stays = [(day, _at(names, day), _at(districts, day)) for day in days]
    stays = stays[:1] + [after for before, after in pairwise(stays) if after[1:] != before[1:]]
    for number, (day, name, district) in enumerate(stays):
        row = {"code": code, "name": name, "parent": district, "since": day}
        if number + 1 < len(stays):
            yield row | {"until": _day_before(stays[number + 1][0])}
            continue
        yield row | {"begins": begins, "ends": ends, "since": "" if day == begins else day}


def _at(by_day: dict[str, str], day: str) -> str:
    """The value in force on a day."""
    return by_day[max(first for first in by_day if first <= day and by_day[first])]


def _day_before(day: str) -> str:
    return f"{dt.date.fromisoformat(day) - dt.timedelta(days=1)}"


def _day_after(day: str) -> str:
    return f"{dt.date.fromisoformat(day) + dt.timedelta(days=1)}"


def _table(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return [{k: v.strip() for k, v in row.items()} for row in csv.DictReader(lines)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
