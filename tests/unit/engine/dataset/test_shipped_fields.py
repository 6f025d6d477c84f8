"""Fields of the shipped data set: an alias that each goes by, a good value and a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine.dataset.headings import match_headings
from core.engine.dataset.specification import Specification
from core.engine.offline.checking import References, check_file

CASES = {
    "Clinic ID": ("ClinicID", "ZX1-A", "x" * 51),
    "Patient ID": ("Local Patient Identifier", "12", ""),
    "Attendance Date": ("consultation_date", "2017-04-03", "03/04/2017"),
    "LSOA": ("LSOA of Residence", "X99999999", ""),
    "Organisation ID": ("OrgID", "ZX1", "ZX123456789"),
    "Age": ("Age at Attendance", "15", "121"),
    "Gender": ("Sex", "2", "3"),
    "Ethnicity": ("Ethnic Category", "z", "Y"),
    "Sexual Orientation": ("Sex_Ori", "U", "5"),
    "First Attendance": ("FirstAttendance", "5", "6"),
    "Consultation Medium Used": ("Consultation_Medium", "1", "08"),
    "Location Type": ("LocationType", "E01", "E05"),
    "GP Practice Code": ("GP_Practice", "V81997", "V8199"),
    "Country of Birth": ("Country_Birth", "GBR", "United Kingdom"),
    "SHHAPT": ("SHHAPT_1", "T4", "T44"),
    "SRH Care Activity": ("SRHCareActivity1", "41", "42"),
    "Contraceptive Main Method": ("Contraception Main Method", "13", "14"),
    "Contr. Main Method Status": ("Contraception Method Status", "4", "5"),
    "Contraception Other Method": ("ContraceptiveOtherMethod1", "1", "0"),
    "Contrac. Method Post Coital": ("Contraception Method Post Coital 1", "2", "3"),
}
"""For each field: an alias, a good value and a wrong one."""
KEY = {"Clinic ID": "A", "Patient ID": "1", "Attendance Date": "2017-04-03", "LSOA": "X99999999"}


def errors(
    folder: Path, specification: Specification, field: str, value: str
) -> list[dict[str, str]]:
    """The errors of a record that holds the value under the field's alias."""
    record = {name: given for name, given in KEY.items() if name != field}
    record[CASES[field][0]] = value
    path = folder / "one.csv"
    path.write_text(f"{','.join(record)}\n{','.join(record.values())}\n")
    found = check_file(path, specification, References()).errors.to_pylist()
    return [error for error in found if error["severity"] == "error"]


def test_every_field_of_the_data_set_has_its_case(specification: Specification) -> None:
    assert set(CASES) == {field.name for field in specification.fields}


@pytest.mark.parametrize("field", CASES)
def test_a_field_takes_a_good_value_and_refuses_a_wrong_one(
    tmp_path: Path, specification: Specification, field: str
) -> None:
    alias, good, wrong = CASES[field]
    column = specification.by_name[field].columns[0]
    assert match_headings([alias], specification).columns == [column]
    assert errors(tmp_path, specification, field, good) == []
    assert [error["field"] for error in errors(tmp_path, specification, field, wrong)] == [column]
