"""Makes the shipped register anew: ``python -m core.areas.make_register FOLDER``.

FOLDER holds ``lsoa11_hierarchy.csv``, ``lsoa21_hierarchy.csv`` and ``la_all_codes.csv`` (Office for
National Statistics; see library/README.md). The same input gives the same bytes.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
from pathlib import Path

LIBRARY = Path(__file__).parent / "library"
LAST_DAY_OF_2011_EDITION = "2021-03-20"  # the census behind the 2021 edition was on the day after


def main(folder: Path) -> None:
    (LIBRARY / "areas.csv.gz").write_bytes(_zipped(_areas(folder)))
    (LIBRARY / "authorities.csv").write_text(_csv(_authorities(folder)), encoding="utf-8")


def _areas(folder: Path) -> list[tuple[str, ...]]:
    districts_2011 = _districts(folder / "lsoa11_hierarchy.csv", "LSOA11CD")
    districts_2021 = _districts(folder / "lsoa21_hierarchy.csv", "LSOA21CD")
    rows = [(code, district, "") for code, district in districts_2021.items()]
    rows += [
        (code, district, LAST_DAY_OF_2011_EDITION)
        for code, district in districts_2011.items()
        if code not in districts_2021
    ]
    return [("lsoa", "district", "end"), *sorted(rows)]


def _authorities(folder: Path) -> list[tuple[str, ...]]:
    rows = _columns(folder / "la_all_codes.csv", "LADCD", "LADNM", "LADCD_ACTIVE")
    mended = [(code, name, "" if active == code else active) for code, name, active in rows]
    return [("code", "name", "successor"), *sorted(mended)]


def _districts(path: Path, code: str) -> dict[str, str]:
    return {row[0]: row[1] for row in _columns(path, code, "LADCD")}


def _columns(path: Path, *names: str) -> list[tuple[str, ...]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return [tuple(row[name].strip() for name in names) for row in csv.DictReader(lines)]


def _csv(rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _zipped(rows: list[tuple[str, ...]]) -> bytes:
    return gzip.compress(_csv(rows).encode(), compresslevel=9, mtime=0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
