"""What frictionless finds in its own files and has a meaning here, and what has none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.engine.dataset.specification import Specification
from core.engine.offline.checking import FileCheck, References, check_file
from tests.small_dataset import DATA, found

FILES = DATA / "frictionless"
CASES: list[dict[str, Any]] = json.loads((FILES / "expected.json").read_text())

OURS = {
    "blank-row": {"data-after-empty-row"},  # only where data follow; else the table has ended
    "blank-label": {"unknown-column"},  # only where the column holds data
    "duplicate-label": {"duplicate-column"},
    "extra-cell": {"ragged-row"},
    "missing-cell": {"ragged-row"},
    "source-error": {"empty-file"},
}
"""Their types of error, and the code that says the same here."""

NOT_APPLICABLE = {
    "ascii-value": "text may be in any script",
    "byte-count": "nobody states the size of an upload beforehand",
    "compression-error": "archives are not read",
    "constraint-error": "comes from their own schema",
    "deviated-cell": "a statistical guess",
    "duplicate-row": "an episode may have equal records; they merge",
    "encoding-error": "Windows-1252 is read, see test_windows_text",
    "error": "comes from their own detector",
    "extra-label": "comes from their own schema",
    "forbidden-value": "belongs to their own check",
    "missing-label": "comes from their own schema",
    "package-error": "a package of theirs, not a table",
    "primary-key": "comes from their own schema",
    "row-count": "nobody states the number of rows beforehand",
    "table-dimensions": "comes from their own check",
    "unique-error": "comes from their own schema",
}


def as_read_here(name: str) -> FileCheck:
    """Checks one of their files against a data set that has its headings as fields."""
    return check_file(FILES / name, _data_set(name), References())


def _data_set(name: str) -> Specification:
    """Their columns as text fields; ``id`` or the first column plays every role."""
    labels = {
        "table.csv": ["id", "name"],
        "latin1.csv": ["id", "name"],
        "issue-312.xlsx": ["id", "name"],
        "unique-field.csv": ["id", "name", "slug"],
    }.get(name, ["id", "name", "age"])
    return Specification.model_validate(
        {
            "dataset": "theirs",
            "version": "1",
            "title": "Theirs",
            "fields": [{"name": label} for label in labels],
        }
    )


def types_of(case: dict[str, Any]) -> set[str]:
    at = case["fields"].index("type") if "type" in case["fields"] else None
    return set() if at is None else {error[at] for error in case["expected"]}


def test_every_type_of_theirs_is_either_ours_or_has_a_reason_not_to_be() -> None:
    everything = set().union(*(types_of(case) for case in CASES))
    assert everything == OURS.keys() | NOT_APPLICABLE.keys()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("defective-rows.csv", [(2, "ragged-row"), (3, "ragged-row")]),
        ("blank-rows.csv", []),
        ("blank-rows-multiple.csv", []),
        ("structure-errors.csv", [(5, "data-after-empty-row")]),
        ("blank-headers.csv", [(None, "unknown-column")]),
        ("duplicate-headers.csv", [(None, "duplicate-column"), (None, "duplicate-column")]),
        ("invalid.csv", [(None, "duplicate-column")]),
        ("empty.csv", [(None, "empty-file")]),
        ("table.csv", []),
        ("unique-field.csv", []),
        ("duplicate-rows.csv", []),
        ("issue-312.xlsx", [(None, "duplicate-column")]),
        ("table.csv.zip", [(None, "wrong-file-type")]),
    ],
)
def test_their_files_are_judged_alike(name: str, expected: list[tuple[int | None, str]]) -> None:
    ours = [
        (row, code) for row, _, _, code in found(as_read_here(name)) if code != "missing-column"
    ]
    if name == "duplicate-headers.csv":
        expected = expected[:1]  # one finding names all three columns
    assert ours == expected


@pytest.mark.parametrize("name", ["defective-rows.csv", "structure-errors.csv"])
def test_rows_at_fault_are_the_rows_they_name(name: str) -> None:
    case = next(c for c in CASES if c["file"].endswith(name) and "rowNumber" in c["fields"])
    theirs = {row for row, _, kind in case["expected"] if row is not None and kind != "blank-row"}
    assert {row for row, *_ in found(as_read_here(name))} == theirs


def test_windows_text() -> None:
    check = as_read_here("latin1.csv")
    assert found(check) == []
    assert check.records["name"].to_pylist() == ["english", "©"]
