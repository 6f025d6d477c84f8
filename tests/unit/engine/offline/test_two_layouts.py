"""The shipped data set of 2019: files of both layouts, checked, copied and priced alike."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import core.engine
from core.engine.areas.register import AreaRegister
from core.engine.columns.joins import coded, distinct_rows
from core.engine.dataset.specification import load_specification
from core.engine.offline.checking import FileCheck, References, check_file
from core.engine.offline.marked_copy import marks_of, write_marked_copy
from core.engine.offline.pricing import Outcome, Tariff, price_files, write_results
from core.engine.samples.activity import make_activity, sample_clinics
from core.engine.samples.one_row_an_activity import make_activity_rows, one_row_an_activity
from core.engine.samples.writing import write_activity
from core.engine.tariff.configuration import load_configuration

ENGINE = Path(core.engine.__path__[0])
SPECIFICATION = load_specification(ENGINE / "dataset/library/sexual-health-2019.yaml")
CONFIGURATION = load_configuration(
    ENGINE / "tariff/library/illustrative-isht-2019-20.yaml", SPECIFICATION
)
APRIL = datetime.date(2019, 4, 1)
TARIFF = Tariff(
    SPECIFICATION,
    CONFIGURATION,
    provider="ZX1",
    month=APRIL,
    hosts={clinic: host for clinic, _, host in sample_clinics("ZX1")},
    register=AreaRegister.shipped(),
)
REFERENCES = References(TARIFF.register, frozenset(TARIFF.hosts), "ZX1", APRIL)
KEY = {"Clinic ID": "ZX1-A", "Patient ID": "1", "Attendance Date": "2019-04-03"}
HOME = {"LSOA": "E01004198"}


def checked(path: Path) -> FileCheck:
    return check_file(path, SPECIFICATION, REFERENCES)


def written(path: Path, *rows: Mapping[str, str]) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([row.get(name, "") for name in names] for row in rows)]
    path.write_text("\n".join(",".join(line) for line in [*lines, []]))
    return path


def priced(*paths: Path) -> Outcome:
    outcome = price_files([(path.name, path) for path in paths], TARIFF)
    assert outcome.calculation is not None, [found.errors.to_pylist() for found in outcome.findings]
    return outcome


def charges(outcome: Outcome) -> list[tuple[object, ...]]:
    assert outcome.calculation is not None
    table = outcome.calculation.charges.drop_columns("reason")
    return sorted(tuple(row.values()) for row in table.to_pylist())


def currencies(outcome: Outcome) -> list[str]:
    assert outcome.calculation is not None
    return sorted(outcome.calculation.charges["currency"].to_pylist())


def episodes_once(rows: int) -> pa.Table:
    """Sample activity in which every episode has one record, so that no slot is overwritten."""
    table = make_activity(rows, "ZX1", APRIL, seed=3)
    keys = [coded(table[name]).codes for name in KEY]
    return table.take(pa.array(distinct_rows(keys)[1]))


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_sample_of_activities_is_without_findings(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"sample.{ending}"
    write_activity(make_activity_rows(3000, "ZX1", APRIL, seed=4), path)
    found = checked(path)
    assert (found.layout, found.record_count) == ("GUMCADv3", 3000)
    assert found.errors.to_pylist() == []


def test_a_share_of_its_rows_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "sample.csv"
    write_activity(make_activity_rows(4000, "ZX1", APRIL, seed=4, errors=0.05), path)
    assert checked(path).records["in_error"].to_pylist().count(True) == 200


def test_the_same_activity_costs_the_same_in_both_layouts(tmp_path: Path) -> None:
    wide = episodes_once(2000)
    long = one_row_an_activity(wide, SPECIFICATION.in_layout("GUMCADv3"))
    assert long.num_rows > 1.5 * wide.num_rows
    for name, table in (("wide.csv", wide), ("long.csv", long)):
        write_activity(table, tmp_path / name)
    in_slots, in_rows = priced(tmp_path / "wide.csv"), priced(tmp_path / "long.csv")
    assert charges(in_slots) == charges(in_rows)
    assert len(charges(in_slots)) > 2000


def test_files_of_both_layouts_merge_by_episode_in_any_order(tmp_path: Path) -> None:
    wide = episodes_once(1500)
    long = one_row_an_activity(wide, SPECIFICATION.in_layout("GUMCADv3"))
    some = np.random.default_rng(1).random(long.num_rows) < 0.5
    in_sexual_health = [name for name in wide.column_names if name.startswith("SHHAPT")]
    write_activity(wide, tmp_path / "whole.csv")
    cares = wide.drop_columns(in_sexual_health)
    write_activity(cares, tmp_path / "care.csv")
    write_activity(long.filter(pa.array(some)), tmp_path / "one.csv")
    write_activity(long.filter(pc.invert(pa.array(some))), tmp_path / "two.csv")
    expected = charges(priced(tmp_path / "whole.csv"))
    for order in (("care", "one", "two"), ("two", "care", "one")):
        assert charges(priced(*(tmp_path / f"{name}.csv" for name in order))) == expected


def test_an_activity_and_its_site_belong_together(tmp_path: Path) -> None:
    def at(code: str, site: str) -> dict[str, str]:
        return {**KEY, **HOME, "Episode_Activity": code, "Site": site}

    three = [at("T2", "R"), at("T2", "O"), at("T2", "G")]
    assert currencies(priced(written(tmp_path / "a.csv", *three))) == ["T2", "TT"]
    mixed = [at("T2", "R"), at("T2", "O"), at("T1", "G")]
    assert currencies(priced(written(tmp_path / "b.csv", *mixed))) == ["T2"]


def test_a_snomed_code_counts_as_what_it_means_and_is_kept(tmp_path: Path) -> None:
    same = SPECIFICATION.same_as(SPECIFICATION.by_name["Episode_Activity"])
    removal = next(code for code, means in same.items() if means == "19")
    rows = [{**KEY, **HOME, "Episode_Activity": code} for code in (removal, "73211009")]
    path = written(tmp_path / "a.csv", *rows, rows[0])
    outcome = priced(path)
    assert currencies(outcome) == ["LARCR"]
    paths = write_results(tmp_path, outcome, TARIFF)
    heading, episode = paths["episodes"].read_text().splitlines()
    cells = dict(zip(heading.split(","), episode.split(","), strict=True))
    assert cells["Episode_Activity"] == f"{removal} 73211009"
    assert cells["records"] == "3"
    assert paths["charges"].read_text().splitlines()[0] == (
        "clinic_id,patient_id,attendance_date,currency,rate_type,rate,factor,amount,"
        "commissioner,basis,reason"
    )


def test_more_activities_than_any_slots_all_count(tmp_path: Path) -> None:
    codes = list(SPECIFICATION.code_lists["shhapt"])
    rows = [{**KEY, **HOME, "Episode_Activity": code} for code in codes]
    calculation = priced(written(tmp_path / "a.csv", *rows)).calculation
    assert calculation is not None
    assert len(calculation.merged.groups["activity"].episode) == len(codes) > 60
    assert not calculation.merged.overwritten.num_rows


def test_gender_identity_is_a_field_of_its_own(tmp_path: Path) -> None:
    row = {**KEY, **HOME, "Episode_Activity": "T4", "Sex": "1", "Gender_Identity": "3"}
    (record,) = checked(written(tmp_path / "a.csv", row)).records.to_pylist()
    assert (record["Gender"], record["Gender Identity"]) == ("1", "3")


@pytest.mark.parametrize(
    ("heading", "field", "good", "wrong"),
    [
        ("Gender_Identity", "Gender Identity", "z", "5"),
        ("Consultation_Type", "Consultation Type", "1", "03"),
        ("InitialContact", "Initial Contact", "y", "maybe"),
        ("LA", "Local Authority", "E09000030", "Tower Hamlets"),
        ("GUMCAD", "GUMCAD", "1", "2"),
        ("Activity_Site", "Site", "r", "X"),
        ("EpisodeActivity", "Episode_Activity", "t4", "T44"),
    ],
)
def test_new_fields_take_a_good_value_and_refuse_a_wrong_one(
    tmp_path: Path, heading: str, field: str, good: str, wrong: str
) -> None:
    rest = {**KEY, **HOME} | ({} if field == "Episode_Activity" else {"Episode_Activity": "T4"})
    path = written(tmp_path / "a.csv", {**rest, heading: good}, {**rest, heading: wrong})
    found = checked(path)
    assert [(e["row"], e["field"]) for e in found.errors.to_pylist()] == [(3, field)]
    assert found.records[field].to_pylist()[0] is not None


def test_the_marked_copy_says_what_the_file_says(tmp_path: Path) -> None:
    rows = [{**KEY, **HOME, "Episode_Activity": code} for code in ("T4", "22298007", "'22298006")]
    path, out = written(tmp_path / "a.csv", *rows), tmp_path / "marked.xlsx"
    found = checked(path)
    columns = found.errors.select(["row", "field", "severity", "message"]).to_pylist()
    marks = marks_of(
        (tuple(row.values()) for row in columns), [each.column for each in found.headings]
    )
    write_marked_copy(path, out, marks, SPECIFICATION)
    again = checked(out)
    assert again.layout == "GUMCADv3"
    assert [(e["row"], e["code"]) for e in again.errors.to_pylist()] == [(3, "bad-pattern")]
    assert again.records["Episode_Activity"].to_pylist() == ["T4", "22298007", "22298006"]


def test_transposing_is_for_slots_and_leaves_rows_of_activities_alone(tmp_path: Path) -> None:
    slots = [{**KEY, **HOME, "SHHAPT": code} for code in ("T2", "C4")]
    path = written(tmp_path / "a.csv", *slots)
    found = check_file(path, SPECIFICATION, REFERENCES, transpose=True)
    assert (found.layout, found.error_count) == ("SRHAD", 0)
    assert found.records["SHHAPT 2"].to_pylist() == [None, "C4"]
    rows = [{**KEY, **HOME, "Episode_Activity": code} for code in ("T2", "C4")]
    found = check_file(written(path, *rows), SPECIFICATION, REFERENCES, transpose=True)
    assert (found.layout, found.error_count) == ("GUMCADv3", 0)
    assert found.records["Episode_Activity"].to_pylist() == ["T2", "C4"]
