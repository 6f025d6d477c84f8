"""A small data set and register for tests, and short ways to check a file against them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from core.engine.dataset.specification import Specification, load_specification
from core.engine.offline.checking import FileCheck, References, check_file

DATA = Path(__file__).parent / "data"
SMALL: Specification = load_specification(DATA / "small.yaml")


@dataclass(frozen=True)
class SmallRegister:
    """Three areas; one ended at the end of 2021."""

    codes: pa.Array
    ended: pa.Array


REGISTER = SmallRegister(
    pa.array(["E01000001", "E01000002", "W01000001"]),
    pa.array([None, datetime.date(2021, 12, 31), None], pa.date32()),
)

HEADINGS = "Clinic ID,Patient ID,Attendance Date"
GOOD = "C1,1,2017-04-03"


def check_bytes(folder: Path, content: bytes, **options: object) -> FileCheck:
    """Checks a file with this content against the small data set."""
    path = folder / "activity.csv"
    path.write_bytes(content)
    references = options.pop("references", References(lsoas=REGISTER))
    return check_file(path, SMALL, references, **options)  # type: ignore[arg-type]


def check_lines(folder: Path, *lines: str, **options: object) -> FileCheck:
    """Checks a csv file of these lines."""
    return check_bytes(folder, "\n".join([*lines, ""]).encode(), **options)


def check_values(folder: Path, **values: str) -> FileCheck:
    """Checks one record that holds these values beside good ones; ``_`` stands for a space."""
    good = dict(zip(HEADINGS.split(","), GOOD.split(","), strict=True))
    record = {**good, **{name.replace("_", " "): value for name, value in values.items()}}
    quoted = ('"' + value.replace('"', '""') + '"' for value in record.values())
    return check_lines(folder, ",".join(record), ",".join(quoted))


def found(check: FileCheck) -> list[tuple[int | None, str | None, str | None, str]]:
    """Row, field, value and code of every finding."""
    names = ("row", "field", "value", "code")
    return [tuple(error[name] for name in names) for error in check.errors.to_pylist()]  # type: ignore[misc]


def codes(check: FileCheck) -> list[str]:
    """The code of every finding."""
    return check.errors["code"].to_pylist()  # type: ignore[no-any-return]


def stored(check: FileCheck, column: str) -> list[str | None]:
    """What is stored in a column."""
    return check.records[column].to_pylist()  # type: ignore[no-any-return]
