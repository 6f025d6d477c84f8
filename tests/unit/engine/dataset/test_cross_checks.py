"""Checks across fields of the shipped data set: a record that meets each, and one that fails it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine.dataset.specification import Specification
from core.engine.offline.checking import References, check_file

CASES = {
    "status-needs-main-method": (
        {"Contr. Main Method Status": "1", "Contraceptive Main Method": "1"},
        {"Contr. Main Method Status": "1"},
    ),
    "advice-only-has-no-main-method": (
        {"Contr. Main Method Status": "4"},
        {"Contr. Main Method Status": "4", "Contraceptive Main Method": "1"},
    ),
}
KEY = {"Clinic ID": "A", "Patient ID": "1", "Attendance Date": "2017-04-01", "LSOA": "X99999999"}


def failed(folder: Path, specification: Specification, record: dict[str, str]) -> set[str]:
    """The cross-checks that a record fails."""
    path = folder / "one.csv"
    whole = KEY | record
    path.write_text(f"{','.join(whole)}\n{','.join(whole.values())}\n")
    errors = check_file(path, specification, References()).errors
    return set(errors["code"].to_pylist()) & set(CASES)


def test_every_check_of_the_data_set_has_its_case(specification: Specification) -> None:
    assert {check.name for check in specification.checks} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_record_meets_the_check_or_fails_it(
    tmp_path: Path, specification: Specification, name: str
) -> None:
    good, bad = CASES[name]
    assert name not in failed(tmp_path, specification, good)
    assert name in failed(tmp_path, specification, bad)
