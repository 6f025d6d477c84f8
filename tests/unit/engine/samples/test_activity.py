from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from core.engine.areas.register import AreaRegister
from core.engine.dataset.specification import load_specification
from core.engine.offline.checking import FileCheck, References, check_file
from core.engine.samples.activity import SPECIFICATION, make_activity, sample_clinics
from core.engine.samples.writing import write_activity
from core.user_errors import UserError

APRIL = datetime.date(2017, 4, 1)


def checked(path: Path, month: datetime.date = APRIL) -> FileCheck:
    references = References(
        lsoas=AreaRegister.shipped(),
        clinics=frozenset(clinic for clinic, _, _ in sample_clinics("ZX1")),
        provider="ZX1",
        month=month,
    )
    return check_file(path, load_specification(SPECIFICATION), references)


@pytest.mark.parametrize("month", [APRIL, datetime.date(2024, 2, 1)])
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_sample_is_without_findings(tmp_path: Path, ending: str, month: datetime.date) -> None:
    path = tmp_path / f"sample.{ending}"
    write_activity(make_activity(3000, "ZX1", month, seed=4), path)
    found = checked(path, month)
    assert found.record_count == 3000
    assert found.errors.to_pylist() == []


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_share_of_the_rows_is_wrong_in_mixed_ways(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"sample.{ending}"
    write_activity(make_activity(4000, "ZX1", APRIL, seed=4, errors=0.05), path)
    found = checked(path)
    assert found.records["in_error"].to_pylist().count(True) == 200
    assert set(found.errors["code"].to_pylist()) == {
        "unknown-code", "bad-date", "missing-value", "unknown-lsoa", "bad-number", "out-of-range",
        "bad-pattern", "too-long",
    }  # fmt: skip


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, ending: str) -> None:
    paths = [tmp_path / f"{name}.{ending}" for name in ("one", "two", "other")]
    for path, seed in zip(paths, (7, 7, 8), strict=True):
        write_activity(make_activity(200, "ZX1", APRIL, seed, errors=0.1), path)
    one, two, other = (path.read_bytes() for path in paths)
    assert one == two != other


def test_some_episodes_are_recorded_twice() -> None:
    activity = make_activity(5000, "ZX1", APRIL, seed=1)
    keys = activity.select(["Clinic ID", "Patient ID", "Attendance Date"]).to_pylist()
    episodes = {tuple(key.values()) for key in keys}
    assert 0.01 < 1 - len(episodes) / len(keys) < 0.1


def test_the_ending_says_the_format(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.csv or \.xlsx"):
        write_activity(make_activity(1, "ZX1", APRIL, seed=1), tmp_path / "sample.ods")
